// The GrowthBook SDK: downloads the rules once and decides by itself.
// In: {url, key, units: [attributes]}. Out: for each unit each feature's value, variant and bucket.
import { GrowthBook } from "@growthbook/growthbook";
import { read, write } from "./pipe.mjs";

const { url, key, units } = await read();
const growthbook = new GrowthBook({ apiHost: url, clientKey: key });
const { success, error } = await growthbook.init({ timeout: 10_000 });
if (!success) throw error ?? new Error("the features could not be loaded");

const answers = [];
for (const attributes of units) {
  await growthbook.setAttributes(attributes);
  const decided = {};
  for (const feature of Object.keys(growthbook.getFeatures())) {
    const { value, experimentResult } = growthbook.evalFeature(feature);
    const inside = experimentResult?.inExperiment ?? false;
    decided[feature] = { value, variant: inside ? experimentResult.key : null, bucket: inside ? experimentResult.bucket : null };
  }
  answers.push(decided);
}
write(answers);
growthbook.destroy();
