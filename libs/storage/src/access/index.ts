export { API_KEY_SCOPE, createApiKeys, type ApiKey, type ApiKeys, type NewApiKey } from './apiKeys';
export {
  createWebhooks,
  webhookSubscription,
  type ActiveWebhook,
  type NewWebhook,
  type Webhook,
  type Webhooks,
} from './webhooks';
