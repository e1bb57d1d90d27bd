import { join } from 'node:path';
import { apiConfig } from '../../apps/api/src/config';
import { aptosWorkerConfig } from '../../apps/aptos-worker/src/config';
import { evmWorkerConfig } from '../../apps/evm-worker/src/config';
import { purchaseWorkerConfig } from '../../apps/purchase-worker/src/config';
import { readSettingNames, withoutSettings } from './environment';

const names = readSettingNames(join(__dirname, '../../.env.example'));

describe('what npm start starts', () => {
  it('knows every setting of every program by its name', () => {
    const programs = [evmWorkerConfig, aptosWorkerConfig, purchaseWorkerConfig, apiConfig];
    const all = programs.flatMap((schema) => Object.values(schema).map(({ name }) => name));
    expect(all.length).toBeGreaterThan(50);
    expect(all.filter((name) => !names.includes(name))).toEqual([]);
  });

  it('is given no setting of another installation, and the rest of the shell’s environment', () => {
    const shell = {
      PATH: '/bin',
      HOME: '/home/me',
      END_BLOCK: '5',
      REDIS_URL: 'redis://x',
      LOG_LEVEL: 'debug',
      ROLE: '',
    };
    const { environment, leftOut } = withoutSettings(shell, names);
    expect(environment).toEqual({ PATH: '/bin', HOME: '/home/me', LOG_LEVEL: 'debug', ROLE: '' });
    expect([...leftOut].sort()).toEqual(['END_BLOCK', 'REDIS_URL']);
  });
});
