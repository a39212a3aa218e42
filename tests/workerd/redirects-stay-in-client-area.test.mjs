// A redirect never leaves the client area, for any input.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { generator, seed } from "../support/random.mjs";
import { startSignet } from "../support/signet.mjs";
import { createSet, getToken, openLink, postToken, putUser } from "../support/workflow.mjs";

/** In a directory of an origin that is not Signet's, so that leaving either shows. */
const AREA = "https://my.example/billing/";
/** A place where an id is a whole segment, and one where it is the first: `..` is an id that a service may have. */
const DESTINATIONS = {
  "clientarea:product_details": "{service_id}/view",
  "clientarea:domain_details": "d/{domain_id}",
};
const GENERATED = 2_000;

/** Tricks that made other software redirect elsewhere, by kind; the last kind goes into a query as it stands. */
const { "already percent-encoded": encoded, ...kinds } = JSON.parse(
  await readFile(new URL("hostile-paths.json", import.meta.url), "utf8"),
);
const corpus = [...new Set(Object.values(kinds).flat())];

let signet, set;

before(async () => {
  signet = await startSignet({ vars: { CLIENT_AREA_URL: AREA, DESTINATIONS: JSON.stringify(DESTINATIONS) } });
  const scopes = [
    "sso:custom_redirect",
    "clientarea:product_details",
    "clientarea:domain_details",
    "clientarea:emails",
  ];
  set = await createSet(signet, { delegated: true, scopes });
  await putUser(signet, "1", { services: [12, ".", ".."], domains: [34, ".", ".."] });
});
after(() => signet.close());

const token = (form) => getToken(signet, set, { user_id: "1", ...form });

/** Whether a redirect stays: the WHATWG parser's verdict, and that of plain eyes, which must agree. */
function stays(location) {
  const byParser = staysByParser(location);
  assert.equal(byParser, staysByEye(location), `the judges disagree on ${JSON.stringify(location)}`);
  return byParser;
}

function staysByParser(location) {
  const url = new URL(location, signet.issuer);
  return url.origin === "https://my.example" && url.pathname.startsWith("/billing/") && !url.username && !url.password;
}

function staysByEye(location) {
  if (!/^https:\/\/my\.example\/billing\/[!-~]*$/.test(location)) return false;
  const path = location.slice(AREA.length).split(/[?#]/)[0];
  return !path.includes("\\") && !path.split("/").some((segment) => /^(\.|%2e){1,2}$/i.test(segment));
}

/** Asserts that a redirect goes into the client area, in ASCII and without a header more than there should be. */
function assertStays(response, label) {
  const location = response.headers.get("location");
  assert.match(location, /^[!-~]+$/, label);
  assert.ok(stays(location), `${label}: ${location}`);
  assert.match(response.headers.get("set-cookie"), /^__Host-/, label);
}

/** Opens a link: it is refused (`false`), or it redirects inside (`true`). */
async function staysInside(open, label) {
  const response = await open();
  assert.ok([302, 400].includes(response.status), `${label}: ${response.status}`);
  if (response.status === 302) assertStays(response, label);
  return response.status === 302;
}

/**
 * Opens links with one token as long as they are refused, so that a refusal which spent it would show at the next
 * redirect; the last link is valid. Returns how many redirected.
 */
async function openAll(inputs, open, form = { scope: "sso:custom_redirect" }) {
  let accessToken = await token(form);
  let accepted = 0;
  for (const input of inputs) {
    if (await staysInside(() => open(accessToken, input), JSON.stringify(input))) {
      accepted += 1;
      accessToken = await token(form);
    }
  }
  const params = { sso_redirect_path: "cart.php" };
  assert.equal((await openLink(signet, accessToken, { params })).status, 302, "a refusal spends no token");
  return accepted;
}

test("the two checks of this file recognize an address outside the client area", () => {
  for (const outside of [
    "//evil.example/",
    "/billing/",
    "https://evil.example/billing/",
    "http://my.example/billing/",
    "https://my.example/",
    "https://my.example/billing",
    "https://my.example:8443/billing/",
    "https://my.example.evil.example/billing/",
    "https://my.example@evil.example/billing/",
    "https://user@my.example/billing/",
    "https://my.example/billing/../x",
    "https://my.example/billing/a/%2E%2e/../x",
    "https://my.example/billingx/",
    "javascript:alert(1)",
  ]) {
    assert.deepEqual([staysByParser(outside), staysByEye(outside)], [false, false], outside);
  }
  assert.ok(stays(AREA) && stays(`${AREA}cart.php?a=b#c`));
});

test(`the corpus has ${corpus.length} hostile paths`, () => assert.ok(corpus.length >= 250));

for (const [kind, inputs] of Object.entries(kinds)) {
  test(`CWE-601: hostile paths at the SSO endpoint: ${kind}`, async () => {
    const accepted = await openAll(inputs, (accessToken, path) =>
      openLink(signet, accessToken, { params: { sso_redirect_path: path } }),
    );
    assert.ok(accepted < inputs.length, "most are refused");
  });
}

test("CWE-601: hostile paths at the SSO endpoint, percent-encoded by hand", () =>
  openAll(encoded, (accessToken, path) =>
    signet.fetch(`/oauth/singlesignon?access_token=${accessToken}&sso_redirect_path=${path}`),
  ));

test("CWE-601: hostile paths at the SSO endpoint, by POST", async () => {
  let accessToken = await token({ scope: "sso:custom_redirect" });
  for (const path of corpus.filter((_, index) => index % 4 === 0)) {
    const response = await openLink(signet, accessToken, { params: { sso_redirect_path: path }, method: "POST" });
    assert.ok([303, 400].includes(response.status), `${JSON.stringify(path)}: ${response.status}`);
    if (response.status === 400) continue;
    assertStays(response, JSON.stringify(path));
    accessToken = await token({ scope: "sso:custom_redirect" });
  }
});

test("CWE-601: hostile paths at the token endpoint", async () => {
  let granted = 0;
  for (const path of corpus) {
    const response = await postToken(signet, set, {
      user_id: "1",
      scope: "sso:custom_redirect",
      sso_redirect_path: path,
    });
    assert.ok([200, 400].includes(response.status), `${JSON.stringify(path)}: ${response.status}`);
    if (response.status === 400) continue;
    granted += 1;
    const { access_token: accessToken, redirect_url: link } = await response.json();
    assert.equal(new URL(link).origin, signet.issuer, JSON.stringify(path));
    assert.ok(await staysInside(() => openLink(signet, accessToken), JSON.stringify(path)), JSON.stringify(path));
  }
  assert.ok(granted > 0 && granted < corpus.length / 3, `${granted} granted`);
});

test("RFC 6749 section 5.2: a hostile scope is refused at both endpoints", async () => {
  const accessToken = await token({ scope: "clientarea:emails" });
  for (const scope of [...corpus, "clientarea:../x", "clientarea:Emails", "CLIENTAREA:emails", "clientarea:emails\t"]) {
    const label = JSON.stringify(scope);
    const granted = await postToken(signet, set, { user_id: "1", scope });
    assert.deepEqual([granted.status, (await granted.json()).error], [400, "invalid_scope"], label);
    assert.equal((await openLink(signet, accessToken, { params: { scope } })).status, 400, label);
  }
  assert.equal((await openLink(signet, accessToken)).status, 302, "a refusal spends no token");
});

for (const [name, scope] of [
  ["service_id", "clientarea:product_details"],
  ["domain_id", "clientarea:domain_details"],
]) {
  test(`CWE-601: a hostile ${name}, where the destination's path contains it`, async () => {
    const outcomes = { 302: 0, 400: 0, 403: 0, 401: 0 };
    let accessToken = await token({ scope });
    for (const id of corpus) {
      const label = JSON.stringify(id);
      const response = await openLink(signet, accessToken, { params: { [name]: id } });
      outcomes[response.status] += 1;
      if (response.status === 302) assertStays(response, label);
      // A well-formed id that is not the user's is a denial, which spends the token.
      if (response.status !== 400) accessToken = await token({ scope });
      const granted = await postToken(signet, set, { user_id: "1", scope, [name]: id });
      assert.equal(granted.status, response.status === 400 ? 400 : 200, label);
      if (granted.status !== 200) continue;
      const opened = await openLink(signet, (await granted.json()).access_token);
      assert.equal(opened.status, response.status, label);
      if (opened.status === 302) assertStays(opened, label);
    }
    assert.equal(outcomes[302], 2, "the ids . and .. are this user's");
    assert.equal(
      Object.values(outcomes).reduce((a, b) => a + b),
      corpus.length,
      JSON.stringify(outcomes),
    );
    assert.ok(outcomes[400] > corpus.length / 2, JSON.stringify(outcomes));
  });
}

test("WHMCS: goto, redirect and similar parameters are accepted and never followed", async () => {
  const hostile = Object.values(kinds).map(([first]) => first);
  for (const name of ["goto", "redirect", "return", "redirect_uri", "redirect_url", "next", "restricted"]) {
    for (const input of hostile) {
      const params = { [name]: input };
      const response = await openLink(signet, await token({ scope: "clientarea:emails" }), { params });
      const label = `${name}=${JSON.stringify(input)}`;
      assert.equal(response.headers.get("location"), `${AREA}clientarea.php?action=emails`, label);
    }
  }
});

test(`CWE-601: ${GENERATED} generated paths`, async () => {
  const random = generator(seed());
  const pieces = [
    "/",
    "\\",
    ".",
    "..",
    "%2e",
    "%2f",
    "%5c",
    ":",
    "@",
    "?",
    "#",
    "\t",
    "\r\n",
    " ",
    "a",
    "cart.php",
    "evil.example",
    "https",
    "javascript",
    "／",
    "。",
    "é",
    "\u202e",
    "%",
    "&",
    "=",
    ";",
    "[",
    "]",
    "\0",
    "0",
  ];
  const path = () => Array.from({ length: 1 + random(8) }, () => pieces[random(pieces.length)]).join("");
  const accepted = await openAll(Array.from({ length: GENERATED }, path), (accessToken, path) =>
    openLink(signet, accessToken, { params: { sso_redirect_path: path } }),
  );
  assert.ok(accepted > 0 && accepted < GENERATED / 2, `${accepted} accepted`);
});
