import { api } from "./api.js";

/**
 * Turns the browser's network prediction off. `<link rel=preconnect>` and
 * dns-prefetch tell a third party's network that someone is here, without any
 * request that an extension could stop.
 */
export async function disablePrediction() {
  const setting = api.privacy.network.networkPredictionEnabled;
  const { value } = await setting.get({});
  if (value !== false) await setting.set({ value: false });
}

/**
 * @returns {Promise<boolean>} false also when a policy or another extension keeps it on
 */
export async function isPredictionOff() {
  try {
    return (await api.privacy.network.networkPredictionEnabled.get({})).value === false;
  } catch {
    return false;
  }
}
