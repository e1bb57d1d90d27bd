import ts from 'typescript';

/** A word of a source that names a chain, or that only one chain's things are called by. */
export interface ChainName {
  readonly line: number;
  readonly text: string;
}

/**
 * Chains, their namespaces in CAIP-2, their coins' units and their standards of tokens, as parts of names (`aptosSeqNo`, `EVM_LAYOUT`) or of texts
 * (`'eip155:'`); and an address written out, whose length is a chain's.
 */
const NAMES =
  /aptos|eip-?155|(?:^|[^a-z])evm(?=[^a-z]|$)|ethereum|erc-?\d+|sui(?=[^a-z]|$)|solana|(?:^|[^a-z])(?:g?wei|octas?)(?=[^a-z]|$)|0x(?:[0-9a-f]{64}|[0-9a-f]{40})(?![0-9a-f])/i;

const SHOWS_ITS_TEXT = new Set([
  ts.SyntaxKind.Identifier,
  ts.SyntaxKind.PrivateIdentifier,
  ts.SyntaxKind.StringLiteral,
  ts.SyntaxKind.NoSubstitutionTemplateLiteral,
  ts.SyntaxKind.TemplateHead,
  ts.SyntaxKind.TemplateMiddle,
  ts.SyntaxKind.TemplateTail,
  ts.SyntaxKind.RegularExpressionLiteral,
]);

/** `evmSeqNo` and `EVMSeqNo` as `evm Seq No`: a name within a name is found at its borders. */
const apart = (text: string): string =>
  text.replace(/([a-z\d])([A-Z])|([A-Z])(?=[A-Z][a-z])/g, '$1$3 $2').replaceAll('_', ' ');

/** Every name and text of the program that names a chain. Comments are not the program: they may give examples. */
export function chainNames(source: string): readonly ChainName[] {
  const file = ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest, true);
  const found: ChainName[] = [];
  const visit = (node: ts.Node): void => {
    if (SHOWS_ITS_TEXT.has(node.kind)) {
      const text = node.getText(file);
      if (NAMES.test(text) || NAMES.test(apart(text))) {
        found.push({ line: file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1, text });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}
