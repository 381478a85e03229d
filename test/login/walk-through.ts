const MOST_STEPS = 20;

/** What the last page was. */
export interface LastPage {
  readonly status: number;
  readonly text: string;
  readonly url: string;
}

/**
 * Does what a browser and its user do at oidc-provider: follows redirects, keeps cookies, fills in each form with
 * `login`, and sends it, until a page has no form.
 */
export async function walkThrough(address: string, login: string): Promise<LastPage> {
  const cookies = new Map<string, string>();
  let url = new URL(address);
  let body: URLSearchParams | undefined;
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const answer = await visit(url, body, cookies);
    const next = answer.headers.get("location");
    if (next !== null) {
      url = new URL(next, url);
      body = undefined;
      continue;
    }
    const text = await answer.text();
    const form = readForm(text);
    if (form === undefined) return { status: answer.status, text, url: url.href };
    url = new URL(form.action, url);
    body = fillIn(form.fields, login);
  }
  throw new Error(`no end after ${MOST_STEPS} pages`);
}

async function visit(url: URL, body: URLSearchParams | undefined, cookies: Map<string, string>): Promise<Response> {
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  const answer = await fetch(url, {
    method: body === undefined ? "GET" : "POST",
    redirect: "manual",
    headers: { cookie, connection: "close" },
    ...(body !== undefined && { body }),
  });
  for (const set of answer.headers.getSetCookie()) {
    const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
    cookies.set(name, value);
  }
  return answer;
}

function readForm(html: string): { readonly action: string; readonly fields: Map<string, string> } | undefined {
  const [, attributes = "", inside = ""] = /<form([^>]*)>([\s\S]*?)<\/form>/.exec(html) ?? [];
  const action = attribute(attributes, "action");
  if (action === undefined) return undefined;
  const inputs = [...inside.matchAll(/<(?:input|button)([^>]*)>/g)].map(([, text = ""]) => text);
  const fields = inputs.flatMap((text) => {
    const name = attribute(text, "name");
    return name === undefined ? [] : [[name, attribute(text, "value") ?? ""] as const];
  });
  return { action, fields: new Map(fields) };
}

function attribute(text: string, name: string): string | undefined {
  return new RegExp(`${name}="([^"]*)"`).exec(text)?.[1]?.replaceAll("&amp;", "&");
}

function fillIn(fields: Map<string, string>, login: string): URLSearchParams {
  const filled = new URLSearchParams([...fields]);
  if (fields.has("login")) filled.set("login", login);
  if (fields.has("password")) filled.set("password", "any");
  return filled;
}
