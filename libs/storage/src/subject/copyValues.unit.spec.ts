import { copyTextCell } from './copyText';
import { copyValues } from './copyValues';

describe('copyValues()', () => {
  it('makes a row of literals of each line', () => {
    expect(copyValues("1\ta\t\\N\n2\tit's\t\n")).toBe("('1','a',NULL),('2','it''s','')");
    expect(copyValues('1\ta')).toBe("('1','a')");
  });

  it('takes the escapes of COPY back', () => {
    const text = 'a\\b\tc\nd\re\\n\\N';
    expect(copyValues(`${copyTextCell(text)}\t\\\\N\n`)).toBe("( E'a\\\\b\tc\nd\re\\\\n\\\\N', E'\\\\N')");
  });
});
