// Sends events with @segment/analytics-node and leaves when they are delivered or given up.
import { Analytics } from "@segment/analytics-node";

const [url, key, prefix, count] = process.argv.slice(2);
const analytics = new Analytics({ writeKey: key, host: url, flushAt: 5, flushInterval: 200, maxRetries: 8 });
analytics.on("error", (problem) => console.error(problem));
for (let number = 0; number < Number(count); number += 1) {
  analytics.track({ userId: `${prefix}-${number}`, event: "Purchase", properties: { value: number } });
}
await analytics.closeAndFlush();
