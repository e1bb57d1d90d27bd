import { positionWords } from './words';

describe('the words of a chain', () => {
  it('follow from what a position is called', () => {
    const { one, many, startSetting, endSetting, field } = positionWords('block');
    expect([one, many, startSetting, endSetting]).toEqual(['block', 'blocks', 'START_BLOCK', 'END_BLOCK']);
    expect(field('next')).toBe('nextBlock');
    expect(positionWords('version').endSetting).toBe('END_VERSION');
  });
});
