// Sends events with @rudderstack/rudder-sdk-node and leaves when they are delivered or given up.
import Analytics from "@rudderstack/rudder-sdk-node";

const [url, key, prefix, count] = process.argv.slice(2);
const analytics = new Analytics(key, { dataPlaneUrl: url, flushAt: 5, flushInterval: 200, retryCount: 8 });
const told = [];
for (let number = 0; number < Number(count); number += 1) {
  told.push(
    new Promise((resolve) => {
      const message = { userId: `${prefix}-${number}`, event: "Purchase", properties: { value: number } };
      analytics.track(message, (problem) => {
        if (problem) console.error(problem);
        resolve();
      });
    }),
  );
}
await analytics.flush();
await Promise.all(told);
process.exit(0);
