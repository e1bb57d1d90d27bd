import { startWorker } from '@imart/worker';
import { aptosWorker } from './aptosWorker';

startWorker(aptosWorker, process.argv.slice(2));
