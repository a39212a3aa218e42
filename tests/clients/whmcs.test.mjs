// WHMCS's API, called by clients that were written for WHMCS: PyPI whmcspy, npm whmcs, and PHP's curl in both its forms.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import WHMCS from "whmcs";
import { runPhp, skip as skipPhp } from "../support/php.mjs";
import { runPython, skip as skipPython } from "../support/python.mjs";
import { startSignet } from "../support/signet.mjs";
import { postToken, putUser } from "../support/workflow.mjs";

const program = (name) => fileURLToPath(new URL(name, import.meta.url));
const ACTIONS = [
  "CreateSsoToken",
  "CreateOAuthCredential",
  "UpdateOAuthCredential",
  "DeleteOAuthCredential",
  "ListOAuthCredentials",
];
let signet, url, credential;

before(async () => {
  signet = await startSignet();
  url = `${signet.issuer}/includes/api.php`;
  await putUser(signet, "1", { services: [12] });
  credential = (await signet.admin("POST", "/api-credentials", { name: "Panel", actions: ACTIONS })).body;
});
after(() => signet.close());

/** whmcspy raises its own errors. */
async function whmcspy(action, params, { identifier, secret }) {
  const order = { url, identifier, secret, action, params };
  const { answer, error, kind } = JSON.parse(await runPython(program("whmcspy_client.py"), order));
  if (!answer) throw Object.assign(new Error(error), { kind });
  return answer;
}

/** npm whmcs knows none of the actions; this is how its README adds one. */
function npmWhmcs(action, params, { identifier, secret, accesskey = "AK" }) {
  const client = new WHMCS({ username: identifier, password: secret, apiKey: accesskey, serverUrl: url });
  return new Promise((resolve, reject) => {
    client.utils.modem({ client, body: { action, ...params } }, (error, answer) =>
      error ? reject(error) : resolve(answer),
    );
  });
}

const phpCurl =
  (as_array) =>
  async (action, params, { identifier, secret }) => {
    const { status, answer } = await runPhp(program("curl_client.php"), {
      url,
      identifier,
      secret,
      action,
      params,
      as_array,
    });
    if (answer.result !== "success") throw Object.assign(new Error(answer.message), { status });
    return answer;
  };

const clients = [
  { name: "PyPI whmcspy", call: whmcspy, skip: skipPython },
  { name: "npm whmcs", call: npmWhmcs, skip: false },
  { name: "PHP's curl with a string", call: phpCurl(false), skip: skipPhp },
  { name: "PHP's curl with an array, which is multipart", call: phpCurl(true), skip: skipPhp },
];

for (const { name, call, skip } of clients) {
  const create = (change) =>
    call(
      "CreateOAuthCredential",
      { grantType: "single_sign_on", scope: "clientarea:sso clientarea:invoices", serviceId: 12, ...change },
      credential,
    );

  test(`${name}: CreateSsoToken gets a link that signs in`, { skip }, async () => {
    const params = { client_id: 1, destination: "sso:custom_redirect", sso_redirect_path: "cart.php?a=view&b=é+%2B" };
    const { access_token, redirect_url } = await call("CreateSsoToken", params, credential);
    assert.equal(redirect_url, `${signet.issuer}/oauth/singlesignon.php?access_token=${access_token}`);
    const { pathname, search } = new URL(redirect_url);
    const opened = await signet.fetch(pathname + search);
    assert.deepEqual(
      [opened.status, opened.headers.get("location")],
      [302, `${signet.issuer}/cart.php?a=view&b=%C3%A9+%2B`],
    );
    assert.ok(opened.headers.get("set-cookie"));
  });

  test(`${name}: CreateOAuthCredential makes a set that the token endpoint takes`, { skip }, async () => {
    const redirectUri = ["https://a.example/?x=1&y=2", "https://b.example/"];
    const { credentialId, clientIdentifier, clientSecret } = await create({ description: "Ü & <b>", redirectUri });
    assert.ok(Number.isInteger(credentialId));
    const token = await postToken(signet, { client_id: clientIdentifier, client_secret: clientSecret });
    assert.equal(token.status, 200);
    const { body } = await signet.admin("GET", `/credentials/${clientIdentifier}`);
    assert.deepEqual([body.description, body.redirect_uris, body.service_id], ["Ü & <b>", redirectUri, "12"]);
  });

  test(`${name}: UpdateOAuthCredential changes it and gives it a new secret`, { skip }, async () => {
    const { credentialId, clientIdentifier, clientSecret } = await create();
    const { newClientSecret } = await call(
      "UpdateOAuthCredential",
      { credentialId, name: "New", resetSecret: "true" },
      credential,
    );
    const status = async (client_secret) =>
      (await postToken(signet, { client_id: clientIdentifier, client_secret })).status;
    assert.deepEqual([await status(clientSecret), await status(newClientSecret)], [401, 200]);
    assert.equal((await signet.admin("GET", `/credentials/${clientIdentifier}`)).body.name, "New");
  });

  test(`${name}: ListOAuthCredentials finds it, DeleteOAuthCredential deletes it`, { skip }, async () => {
    const { credentialId } = await create();
    const ids = async () =>
      (await call("ListOAuthCredentials", { grantType: "single_sign_on" }, credential)).clients.map(
        (row) => row.credentialId,
      );
    assert.ok((await ids()).includes(credentialId));
    assert.equal((await call("DeleteOAuthCredential", { credentialId }, credential)).credentialId, credentialId);
    assert.ok(!(await ids()).includes(credentialId));
  });

  test(`${name}: sees the error of an action, and of credentials`, { skip }, async () => {
    await assert.rejects(call("CreateSsoToken", { client_id: 99 }, credential), (error) => {
      assert.match(error.message, /Invalid client_id$/);
      if (error.kind) assert.equal(error.kind, "Error");
      return true;
    });
    await assert.rejects(call("CreateSsoToken", { client_id: 1 }, { ...credential, secret: "wrong" }), (error) => {
      assert.match(error.message, /Authentication Failed$/);
      if (error.kind) assert.equal(error.kind, "MissingPermission");
      return true;
    });
  });
}

test("npm whmcs: sends its password as it stands, so it is the secret and not the MD5 that its README means", async () => {
  const secret = createHash("md5").update(credential.secret).digest("hex");
  await assert.rejects(
    npmWhmcs("CreateSsoToken", { client_id: 1 }, { ...credential, secret }),
    /WHMCS Error \(403\): Authentication Failed/,
  );
  assert.equal(
    (await npmWhmcs("CreateSsoToken", { client_id: 1 }, { ...credential, accesskey: undefined })).result,
    "success",
  );
});
