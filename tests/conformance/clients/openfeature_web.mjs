// The OpenFeature web SDK with its OFREP provider: one bulk evaluation for each context, kept and revalidated.
// In: {url, key, flags: [key], steps: [context]}. Out: for each step the details, and every request's status.
import { OpenFeature } from "@openfeature/web-sdk";
import { OFREPWebProvider } from "@openfeature/ofrep-web-provider";
import { read, write } from "./pipe.mjs";

const { url, key, flags, steps } = await read();
const requests = [];
const fetchImplementation = async (...asked) => {
  const answer = await fetch(...asked);
  requests.push({ status: answer.status, sentTag: new Headers(asked[1]?.headers ?? asked[0].headers).get("if-none-match") });
  return answer;
};
const provider = new OFREPWebProvider({
  baseUrl: url,
  pollInterval: -1,
  cacheMode: "disabled",
  fetchImplementation,
  headers: [["Authorization", `Bearer ${key}`]],
});

const answers = [];
let failed = null;
try {
  await OpenFeature.setContext(steps[0]);
  await OpenFeature.setProviderAndWait(provider);
} catch (problem) {
  failed = { code: problem.code ?? null, message: String(problem.message) };
}
const client = OpenFeature.getClient();
for (const [place, context] of steps.entries()) {
  if (place > 0) await OpenFeature.setContext(context);
  answers.push(flags.map((flag) => client.getStringDetails(flag, "default")));
}
write({ answers, requests, failed, status: client.providerStatus });
await OpenFeature.close();
