import { startWorker } from '@imart/worker';
import { evmWorker } from './evmWorker';

startWorker(evmWorker, process.argv.slice(2));
