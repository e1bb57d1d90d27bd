export { API_KEY_SCOPE, createApiKeys, type ApiKey, type ApiKeys, type NewApiKey } from './apiKeys';
