import { MARKET_OBSERVER } from './straightFold';
import { createInMemorySubjectStore } from './inMemorySubjectStore';
import { SUBJECT } from './marketEvents';
import { describeSubjectStore } from './subjectStore.features';

describeSubjectStore('in memory', {
  runs: 60,
  open: async (lanes) => {
    const store = createInMemorySubjectStore({ subjectId: SUBJECT, lanes, observer: MARKET_OBSERVER });
    return { store, contents: async () => store.contents(), kept: async () => store.kept() };
  },
});
