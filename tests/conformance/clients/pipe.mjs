// One JSON document in, one out.
export async function read() {
  let text = "";
  for await (const part of process.stdin) text += part;
  return JSON.parse(text);
}

export function write(document) {
  process.stdout.write(JSON.stringify(document));
}
