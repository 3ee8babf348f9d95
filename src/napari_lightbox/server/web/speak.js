// How the page asks the server.

const KEY = "lightbox-token";

let leaving = new AbortController();

export const token = {
  get: () => sessionStorage.getItem(KEY) ?? "",
  set: (text) => sessionStorage.setItem(KEY, text),
  forget() {
    sessionStorage.removeItem(KEY);
    leaving.abort();
    leaving = new AbortController();
  },
};

export const untilLeaving = () => leaving.signal;

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export class Refused extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

export async function ask(path, options = {}) {
  const headers = { Authorization: `Bearer ${token.get()}`, "Lightbox-Protocol": "1" };
  const answer = await fetch(path, { cache: "no-store", signal: leaving.signal, ...options, headers });
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({}));
  const words = told.reason ? `${told.subject}: ${told.reason}. ${told.way_out}` : `The server answered ${answer.status}.`;
  throw new Refused(answer.status, words);
}

export const read = async (path) => (await ask(path)).json();

export async function* eventsOf(body) {
  const pieces = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await pieces.read();
    if (done) return;
    const parts = (text + value).split("\n\n");
    text = parts.pop();
    for (const part of parts) {
      const fields = Object.fromEntries(part.split("\n").map((line) => line.split(/: (.*)/s)));
      if (fields.data) yield [fields.event, JSON.parse(fields.data)];
    }
  }
}
