// The clouds of `npm run endings`. What is each one's own is in a folder of its name, in four files:
//   cloud.mjs       profiles, the calls by name, what is issued, whether it works, and what is left (`Cloud`, below)
//   steps.mjs       where agentctl is killed: STEPS in a life, FINISHING while somebody else ends it
//   chaos-rows.mjs  ROWS: how the cloud may be while a lease is taken back, and what has to come of it
//   crowd.mjs       `openCrowd(lab)`: many leases at once, beside somebody else
// and keys.mjs, by which the command under a lease reads what it was given.
//
// Cloud: {
//   profiles: {name: block},           YAML; `env`, `endpoint` and `env-required` are there in each
//   otherProfiles: [name],             killed as well, now and then
//   weatherOf: {name: {come(), go()}}, how the cloud is for leases of that profile
//   upstream: {from, variables, tls},  what leads to the sandbox, and has to lead to the proxy: variable → path
//   nameCall({method, path, query, form, json}),
//   readIssued(name, {form}, json|text) → {name, keys} of a credential of the lease's principal, or undefined
//   refusalOf(keys, offsetMs) → undefined where they work, else the cloud's own words
//   isTakenBack(refusal), isPast(refusal): refused since it was taken back, or ended by itself
//   judge: the sandbox's service whose clock ends them
//   openSide() → {left(), clear(), close()}: what is there in the cloud itself
// }
const { env } = process;

/** In the order in which they are told of. */
export const TITLES = { aws: "AWS", gcp: "Google Cloud", azure: "Azure" };
export const CLOUDS = Object.keys(TITLES);

export async function loadCloud(name) {
  const { cloud } = await import(`./${name}/cloud.mjs`);
  return { title: TITLES[name], ...cloud };
}

export async function loadRows(name) {
  return (await import(`./${name}/chaos-rows.mjs`)).ROWS;
}

export async function loadSteps(name) {
  return import(`./${name}/steps.mjs`);
}

export async function loadCrowd(name) {
  return (await import(`./${name}/crowd.mjs`)).openCrowd;
}

/** The sandbox's remote control. */
export async function control(method, resource, body) {
  const answer = await fetch(`${env.AGENTCTL_SANDBOX_CONTROL_URL}/${resource}`, {
    method,
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${resource}: ${answer.status} ${await answer.text()}`);
  return answer.status === 204 ? undefined : answer.json();
}

/** A token of the caller's, as a job asks for it. */
export async function mintToken(audience) {
  const url = `${env.ACTIONS_ID_TOKEN_REQUEST_URL}&audience=${encodeURIComponent(audience)}`;
  const answer = await fetch(url, { headers: { authorization: `bearer ${env.ACTIONS_ID_TOKEN_REQUEST_TOKEN}` } });
  return (await answer.json()).value;
}
