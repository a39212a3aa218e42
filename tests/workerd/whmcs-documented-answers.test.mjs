// WHMCS's API against its published documentation: every answer and error of tests/workerd/golden/, byte for byte.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { startSignet } from "../support/signet.mjs";
import { postForm, putUser } from "../support/workflow.mjs";

const FOLDER = new URL("golden/", import.meta.url);
const ACTIONS = [
  "CreateSsoToken",
  "CreateOAuthCredential",
  "UpdateOAuthCredential",
  "DeleteOAuthCredential",
  "ListOAuthCredentials",
];
/** What differs from run to run, by the name that the files have for it, as JSON or XML spells it. */
const VARIABLES = {
  access_token: /[\w-]+\.[\w-]+\.[\w-]+/,
  credentialId: /\d+/,
  clientIdentifier: /[\w+=.\\/-]+/,
  clientSecret: /[\w+=\\/-]{32,}/,
  date: /\d{1,2}(?:st|nd|rd|th) [A-Z][a-z]+ \d{4} \d{1,2}:\d\d:\d\d[ap]m/,
};
let signet, credentials;

before(async () => {
  signet = await startSignet();
  await putUser(signet, "1", { services: [12, 13], domains: [34] });
  await putUser(signet, "2", { services: [22] });
  await putUser(signet, "3", { status: "Closed" });
  await putUser(signet, "4", { sso: false });
  const create = async (change) =>
    (await signet.admin("POST", "/api-credentials", { name: "Panel", actions: ACTIONS, ...change })).body;
  const whole = await create();
  const narrow = await create({ actions: ["CreateSsoToken"] });
  const fenced = await create({ allowed_addresses: ["198.51.100.0/24"] });
  credentials = {
    identifier: whole.identifier,
    secret: whole.secret,
    narrowIdentifier: narrow.identifier,
    narrowSecret: narrow.secret,
    fencedIdentifier: fenced.identifier,
    fencedSecret: fenced.secret,
  };
});
after(() => signet.close());

/** The cases of a file: a title, a request, and an answer for each encoding. */
function casesOf(file) {
  const [, ...cases] = readFileSync(new URL(file, FOLDER), "utf8").split("\n== ");
  return cases.map((text) => {
    const [title, request, ...rest] = text.trimEnd().split("\n");
    const [before, ...answers] = rest.join("\n").split(/^(\d{3}) (application\/.+)\n/m);
    assert.ok(request.startsWith("> ") && before === "" && answers.length === 6, `${file}: ${title}`);
    const answer = ([status, type, body]) => ({ status: Number(status), type, body: body.trimEnd() });
    return { title, request: request.slice(2), json: answer(answers.slice(0, 3)), xml: answer(answers.slice(3)) };
  });
}

async function send(form) {
  const headers = { "CF-Connecting-IP": "192.0.2.1" };
  const response = await postForm(signet, "/includes/api.php", form, headers);
  return { status: response.status, type: response.headers.get("content-type"), body: await response.text() };
}

/** A set made for one request that changes or deletes it. */
async function createSet(form) {
  const { identifier, secret } = credentials;
  const common = {
    identifier,
    secret,
    action: "CreateOAuthCredential",
    grantType: "single_sign_on",
    scope: "clientarea:sso",
    serviceId: 12,
  };
  const { status, body } = await send({ ...common, ...form });
  assert.equal(status, 200);
  return JSON.parse(body);
}

/** A request as it is sent: its variables filled in, and the credential that may do anything, unless it names its own. */
async function fill(request, file) {
  const set = /\{(credentialId|clientIdentifier)\}/.test(request) ? await createSet() : {};
  const filled = [...new URLSearchParams(request.replaceAll("+", "%2B"))].map(([name, value]) => [
    name,
    value.replace(/\{(\w+)\}/, (_, variable) => String({ ...credentials, ...set }[variable])),
  ]);
  const { identifier, secret } = credentials;
  return file === "authentication.txt"
    ? Object.fromEntries(filled)
    : { identifier, secret, ...Object.fromEntries(filled) };
}

/** Asserts that an answer is the golden one. The token of a link is the token beside it. */
function assertGolden(answer, golden, encoding) {
  const spelled = encoding === "json" ? signet.issuer.replaceAll("/", "\\/") : signet.issuer;
  const expected = golden.body.replaceAll("{issuer}", spelled);
  let token = `(?<token>${VARIABLES.access_token.source})`;
  const pattern = expected.split(/\{(\w+)\}/).map((part, i) => {
    if (i % 2 === 0) return part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
    if (part !== "access_token") return `(?:${VARIABLES[part].source})`;
    const source = token;
    token = "\\k<token>";
    return source;
  });
  // An XML document ends with a line's end, JSON does not.
  const whole = new RegExp(`^${pattern.join("")}${encoding === "xml" ? "\n" : ""}$`);
  if (!whole.test(answer.body)) assert.equal(answer.body, expected);
  assert.deepEqual([answer.status, answer.type], [golden.status, golden.type]);
}

// The list first, while there are two sets and no others.
const files = readdirSync(FOLDER).sort((a, b) => Number(b.startsWith("list")) - Number(a.startsWith("list")));
for (const file of files) {
  for (const { title, request, ...goldens } of casesOf(file)) {
    test(`${file.replace(".txt", "")}: ${title}`, async () => {
      if (file.startsWith("list")) await prepareList();
      for (const encoding of ["json", "xml"]) {
        const answer = await send({ ...(await fill(request, file)), responsetype: encoding });
        assertGolden(answer, goldens[encoding], encoding);
      }
    });
  }
}

let isListPrepared = false;

async function prepareList() {
  if (isListPrepared) return;
  isListPrepared = true;
  await createSet({ name: "Panel", scope: "clientarea:sso clientarea:invoices" });
  const uris = { "redirectUri[0]": "https://portal.example/a", "redirectUri[1]": "https://portal.example/b" };
  await createSet({
    name: "Portal",
    description: "Invoices",
    serviceId: 13,
    logoUri: "https://portal.example/logo.png",
    ...uris,
  });
}

test("every action has its golden file", () => {
  assert.deepEqual(
    files.map((file) => file.replace(".txt", "")).sort(),
    [...ACTIONS.map((action) => action.toLowerCase()), "authentication"].sort(),
  );
});
