'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.createPassSteps = createPassSteps;
/** The steps of passes on a transaction's own copy, as PostgreSQL takes them. */
function createPassSteps(view, write) {
  const backfillFrom = (state, fromPosition, reason) => {
    const toPosition = state.nextPosition - 1n;
    if (toPosition < fromPosition) return;
    state.passes.push({
      id: BigInt(state.passes.length + 1),
      kind: 'backfill',
      reason,
      fromPosition,
      toPosition,
      nextPosition: fromPosition,
      findings: { missing: 0, different: 0, extra: 0 },
    });
  };
  const isAt = (pass, { id, fromPosition }) =>
    pass.id === id && pass.nextPosition === fromPosition && !isFinished(pass);
  return {
    async addBackfill(fromPosition, reason) {
      write((state) => backfillFrom(state, fromPosition, reason));
    },
    async advancePass(step) {
      const pass = view().passes.find((one) => isAt(one, step));
      if (pass === undefined) return false;
      write((state) => {
        const { missing, different, extra } = pass.findings;
        const end = state.nextPosition - 1n;
        const longer = pass.toPosition !== null && step.discovered && end > pass.toPosition;
        const moved = {
          ...pass,
          toPosition: longer ? end : pass.toPosition,
          nextPosition: step.toPosition + 1n,
          findings: {
            missing: missing + step.findings.missing,
            different: different + step.findings.different,
            extra: extra + step.findings.extra,
          },
        };
        state.passes = state.passes.map((one) => (one.id === pass.id ? moved : one));
        if (step.discovered && pass.kind === 'second')
          backfillFrom(state, step.toPosition + 1n, 'contracts that the second pass discovered');
      });
      return true;
    },
    async forgetContracts(addresses) {
      write((state) => {
        state.discovered = state.discovered.filter(({ address }) => !addresses.includes(address));
      });
    },
  };
}
/** Nothing of it is left to read. */
const isFinished = ({ toPosition, nextPosition }) => toPosition !== null && nextPosition > toPosition;
