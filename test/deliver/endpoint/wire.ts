import net from "node:net";

/** A connection on which a test says what it likes. */
export interface Wire {
  say(bytes: string | Buffer): void;
  /** What has come so far. */
  readonly heard: () => string;
  /** Resolves with all that came, once `text` is in it. Rejects when the connection ends before. */
  until(text: string): Promise<string>;
  /** Resolves with all that came, once the other side has cut the connection. */
  readonly cut: Promise<string>;
  hangUp(): void;
}

export function openWire(port: number): Promise<Wire> {
  const socket = net.connect({ host: "127.0.0.1", port });
  let heard = "";
  let look = (): void => {};
  socket.setEncoding("latin1").on("data", (chunk) => {
    heard += chunk;
    look();
  });
  const cut = new Promise<string>((resolve) => socket.once("close", () => resolve(heard)));
  // A reset is one way of being cut.
  socket.on("error", () => {});
  const until = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      look = () => {
        if (heard.includes(text)) resolve(heard);
      };
      look();
      void cut.then(() => reject(new Error(`cut before "${text}" came, after: ${heard}`)));
    });
  const wire: Wire = {
    say: (bytes) => void socket.write(bytes),
    heard: () => heard,
    until,
    cut,
    hangUp: () => void socket.destroy(),
  };
  return new Promise((resolve, reject) => {
    socket.once("connect", () => resolve(wire));
    socket.once("error", reject);
  });
}

/** Says `bytes` on a connection of its own and answers what came until it was cut. */
export async function exchange(port: number, bytes: string | Buffer): Promise<string> {
  const wire = await openWire(port);
  wire.say(bytes);
  return wire.cut;
}

/** The status of an answer; 0 for none. */
export function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? 0);
}

export interface RequestParts {
  readonly method?: string;
  readonly target: string;
  readonly headers: readonly string[];
  readonly body?: string;
}

export function requestText({ method = "GET", target, headers, body = "" }: RequestParts): string {
  return [`${method} ${target} HTTP/1.1`, ...headers, "", body].join("\r\n");
}

/** A promise, and the way to fulfil it. */
export function deferred<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((fulfil) => {
    resolve = fulfil;
  });
  return { promise, resolve };
}
