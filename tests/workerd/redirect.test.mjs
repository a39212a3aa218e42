// A redirect never leaves the client area, whatever the input.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { generator, seed } from "../support/random.mjs";
import { startSignet } from "../support/signet.mjs";
import { createSet, getToken, openLink, postToken, putUser } from "../support/workflow.mjs";

const AREA = "https://my.example/billing/";
const GENERATED = 2_000;

/** Tricks that made other software redirect elsewhere. */
const hosts = ["evil.example", "evil.example/", "evil.example:443/x", "1.2.3.4", "[::1]", "evil%2eexample", "evil。example", "ｅvil.example"];
const prefixes = [
  "//", "///", "////", "/\\", "\\\\", "\\/", "/\t/", "/\n/", "/\r\n/", "\t//", " //", "/ /", "/%09/", "/%5c", "/%5C%5C", "%2f%2f", "/%2f/",
  "/.//", "/..//", "./", "../", "..\\", "/%2e%2e//", "https:", "https:/", "https://", "http:\\\\", "HTTPS://", "hTtP:/\\", "://", ":",
  "@", "user@", "my.example@", "https://my.example@", "https://my.example.", "https://my.example:99@", "//my.example@",
  "／／", "\u200b//", "\u202e//", "\ufeff//", "\u00ad//", "\0//", "\x01//", "\x7f//", "#", "?", "??//", ";//", "&//", "*//",
];
const alone = [
  "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "\x01javascript:alert(1)", "data:text/html,x", "vbscript:x",
  "blob:x", "file:///etc/passwd", "about:blank", "mailto:a@b", "x:y", "..", ".", "%2e%2e", "%2E.", "a/../../..", "a/%2e%2e/%2e%2e/",
  "a/..%2f..%2f", "cart.php/../../x", "cart.php\r\nLocation: https://evil.example", "cart.php\r\nSet-Cookie: a=b", "cart.php%0d%0aX: y",
  "{service_id}", "{domain_id}", "cart.php?id={service_id}", "/", "", "\\", "%", "%zz", "%00", "a\0b", "[", "]", "^", "`", "|", "<script>",
  "x".repeat(1_025), `/${"../".repeat(300)}x`, "é", "ａ", "a//evil.example", "a?//evil.example", "a#//evil.example", "a/https://evil.example",
  "a?next=https://evil.example", "cart.php?a=b&c=d#//evil.example", "a@evil.example", "a;b=c//evil.example", "a\u2028b", "a b", "%20//evil.example",
];
const corpus = [...prefixes.flatMap((prefix) => hosts.map((host) => prefix + host)), ...alone];

let signet, set;

before(async () => {
  signet = await startSignet({ vars: { CLIENT_AREA_URL: AREA } });
  set = await createSet(signet, { delegated: true, scopes: ["sso:custom_redirect", "clientarea:product_details", "clientarea:emails"] });
  await putUser(signet, "1", { services: [12] });
});
after(() => signet.close());

const token = (form) => getToken(signet, set, { user_id: "1", ...form });

/** Whether a redirect stays, judged by the WHATWG parser and by plain eyes. */
function stays(location) {
  const url = new URL(location, signet.issuer);
  const byParser = url.origin === "https://my.example" && url.pathname.startsWith("/billing/") && !url.username && !url.password;
  const byEye = /^https:\/\/my\.example\/billing\/(?![/\\])[!-~]*$/.test(location) && !location.includes("\\");
  return byParser && byEye;
}

/** Opens a link with `params`: it is refused and leaves the token unspent (`false`), or redirects inside (`true`). */
async function staysInside(accessToken, params, label) {
  const response = await openLink(signet, accessToken, { params });
  assert.ok([302, 400].includes(response.status), `${label}: ${response.status}`);
  if (response.status === 302) assert.ok(stays(response.headers.get("location")), `${label}: ${response.headers.get("location")}`);
  return response.status === 302;
}

test(`CWE-601: ${corpus.length} hostile paths at the SSO endpoint`, async () => {
  assert.ok(new Set(corpus).size >= 200);
  let accessToken = await token({ scope: "sso:custom_redirect" });
  let accepted = 0;
  for (const path of corpus) {
    if (await staysInside(accessToken, { sso_redirect_path: path }, JSON.stringify(path))) {
      accepted += 1;
      accessToken = await token({ scope: "sso:custom_redirect" });
    }
  }
  assert.ok(accepted > 0 && accepted < 60, `${accepted} accepted`);
  assert.ok(await staysInside(accessToken, { sso_redirect_path: "cart.php" }, "the token of the refused ones was not spent"));
});

test("CWE-601: hostile paths at the token endpoint", async () => {
  for (const path of corpus.filter((path) => path !== "")) {
    const response = await postToken(signet, set, { user_id: "1", scope: "sso:custom_redirect", sso_redirect_path: path });
    assert.ok([200, 400].includes(response.status), `${JSON.stringify(path)}: ${response.status}`);
    if (response.status === 200) assert.ok(await staysInside((await response.json()).access_token, {}, JSON.stringify(path)));
  }
});

test("CWE-601: hostile scopes, ids, and the parameters that nobody follows", async () => {
  for (const name of ["scope", "service_id", "domain_id", "goto", "redirect", "return", "redirect_uri"]) {
    for (const hostile of corpus.filter((_, index) => index % 7 === 0)) {
      const accessToken = await token({ scope: "clientarea:emails" });
      await staysInside(accessToken, { [name]: hostile }, `${name}=${JSON.stringify(hostile)}`).catch((error) => {
        // A sound id of somebody else is a denial, not a redirect.
        if (!/: 403$/.test(error.message)) throw error;
      });
    }
  }
});

test(`CWE-601: ${GENERATED} generated paths`, async () => {
  const random = generator(seed());
  const pieces = ["/", "\\", ".", "..", "%2e", "%2f", "%5c", ":", "@", "?", "#", "\t", "\r\n", " ", "a", "cart.php", "evil.example",
    "https", "javascript", "／", "。", "é", "\u202e", "%", "&", "=", ";", "[", "]", "\0", "0"];
  let accessToken = await token({ scope: "sso:custom_redirect" });
  for (let n = 0; n < GENERATED; n += 1) {
    const length = 1 + random(8);
    const path = Array.from({ length }, () => pieces[random(pieces.length)]).join("");
    if (await staysInside(accessToken, { sso_redirect_path: path }, JSON.stringify(path))) {
      accessToken = await token({ scope: "sso:custom_redirect" });
    }
  }
});
