// The OpenFeature server SDK with its OFREP provider: single evaluations.
// In: {url, key, flags: {key: type}, units: [{targetingKey, …attributes}]} on standard input. Out: the details.
import { OpenFeature } from "@openfeature/server-sdk";
import { OFREPProvider } from "@openfeature/ofrep-provider";
import { read, write } from "./pipe.mjs";

const { url, key, flags, units } = await read();
const headers = [["Authorization", `Bearer ${key}`]];
await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl: url, headers }));
const client = OpenFeature.getClient();
const ask = {
  boolean: (flag, unit) => client.getBooleanDetails(flag, false, unit),
  number: (flag, unit) => client.getNumberDetails(flag, -1, unit),
  object: (flag, unit) => client.getObjectDetails(flag, {}, unit),
  string: (flag, unit) => client.getStringDetails(flag, "default", unit),
};

const answers = [];
for (const unit of units) {
  for (const [flag, type] of Object.entries(flags)) {
    answers.push({ unit: unit.targetingKey, ...(await ask[type](flag, unit)) });
  }
}
write(answers);
