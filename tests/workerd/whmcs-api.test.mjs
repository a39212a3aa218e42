// WHMCS's API at /includes/api.php: requests as its clients send them, and exact answers.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSignet } from "../support/signet.mjs";
import { basic, claimsOf, createSet, eventsOf, postForm, postToken, putUser } from "../support/workflow.mjs";

const API = "/includes/api.php";
const ACTIONS = [
  "CreateSsoToken",
  "CreateOAuthCredential",
  "UpdateOAuthCredential",
  "DeleteOAuthCredential",
  "ListOAuthCredentials",
];
const HERE = { "CF-Connecting-IP": "192.0.2.1" };
let signet, credential;

before(async () => {
  signet = await startSignet();
  await putUser(signet, "1", { services: [12, 13], domains: [34] });
  await putUser(signet, "2", { services: [22] });
  credential = await createApiCredential();
});
after(() => signet.close());

async function createApiCredential(change = {}) {
  const { status, body } = await signet.admin("POST", "/api-credentials", {
    name: "Panel",
    actions: ACTIONS,
    ...change,
  });
  assert.equal(status, 201, JSON.stringify(body));
  return body;
}

/** Sends a form as the API takes it; `login` null sends no credentials. */
function post(form, { login = credential, headers = {}, query = "" } = {}) {
  const proof = login && { identifier: login.identifier, secret: login.secret };
  return postForm(signet, API + query, { ...proof, ...form }, { ...HERE, ...headers });
}

async function call(action, form = {}, options) {
  const response = await post({ action, ...form }, options);
  return { status: response.status, ...(await response.json()) };
}

const open = (answer) => signet.fetch(new URL(answer.redirect_url).pathname + new URL(answer.redirect_url).search);
const sso = (form) =>
  call("CreateOAuthCredential", {
    grantType: "single_sign_on",
    scope: "clientarea:sso clientarea:invoices",
    serviceId: "12",
    ...form,
  });
const error = (message, status = 200) => ({ status, result: "error", message });

test("authentication: either pair of parameters, empty fields count as missing, one answer for every mistake", async () => {
  const { identifier, secret } = credential;
  const list = { action: "ListOAuthCredentials" };
  for (const [form, expected] of [
    [{ identifier, secret }, undefined],
    [{ username: identifier, password: secret }, undefined],
    [{ username: "", password: "", identifier, secret, accesskey: "AK" }, undefined],
    [{ identifier: "", secret: "", username: identifier, password: secret, accesskey: "" }, undefined],
    [{}, error("Invalid or missing credentials", 403)],
    [{ identifier }, error("Invalid or missing credentials", 403)],
    [{ identifier, secret: "" }, error("Invalid or missing credentials", 403)],
    [{ identifier, secret: "wrong" }, error("Authentication Failed", 403)],
    [{ identifier: "nobody", secret }, error("Authentication Failed", 403)],
    [{ identifier: "a b", secret }, error("Authentication Failed", 403)],
  ]) {
    const response = await post({ ...list, ...form }, { login: null });
    const answer = { status: response.status, ...(await response.json()) };
    if (expected) assert.deepEqual(answer, expected, JSON.stringify(form));
    else assert.equal(answer.result, "success", JSON.stringify(form));
  }
  const parsed = await (await signet.fetch(API, { method: "POST", headers: HERE })).json();
  assert.equal(parsed.message, "Invalid or missing credentials");
});

test("a role is a list of actions, and addresses are single or ranges", async () => {
  const narrow = await createApiCredential({
    actions: ["CreateSsoToken"],
    allowed_addresses: ["198.51.100.0/24", "2001:db8::1"],
  });
  const from = (address) => ({ login: narrow, headers: address ? { "CF-Connecting-IP": address } : {} });
  assert.equal((await call("CreateSsoToken", { client_id: 1 }, from("198.51.100.9"))).result, "success");
  assert.equal((await call("CreateSsoToken", { client_id: 1 }, from("2001:db8::1"))).result, "success");
  assert.deepEqual(
    await call("CreateSsoToken", { client_id: 1 }, from("192.0.2.1")),
    error("Invalid IP 192.0.2.1", 403),
  );
  const refused = await call("ListOAuthCredentials", {}, from("198.51.100.9"));
  assert.deepEqual(refused, error('Invalid Permissions: API action "listoauthcredentials" is not allowed', 403));
  assert.deepEqual(await call("", {}), error("Empty action request", 400));
  assert.deepEqual(await call("GetClients"), error("Command Not Found"));
});

test("parameters come in the query, in a urlencoded form or in multipart, merged, the body first", async () => {
  const { identifier, secret } = credential;
  const multipart = new FormData();
  for (const [name, value] of Object.entries({ identifier, secret, action: "createSSOtoken", client_id: "1" }))
    multipart.append(name, value);
  const encoded = new Response(multipart);
  const sent = {
    method: "POST",
    headers: { ...HERE, "Content-Type": encoded.headers.get("content-type") },
    body: Buffer.from(await encoded.arrayBuffer()),
  };
  for (const response of [
    await signet.fetch(API, sent),
    await signet.fetch(`${API}?client_id=2&action=nothing`, sent),
    await post({ responsetype: "json" }, { query: "?action=CreateSsoToken&client_id=1&identifier=&secret=" }),
    await post({ client_id: 1 }, { query: "?action=CreateSsoToken&client_id=2" }),
  ]) {
    const answer = await response.json();
    assert.equal(answer.result, "success", JSON.stringify(answer));
    assert.equal(claimsOf(answer.access_token).sub, "1");
  }
  const broken = await signet.fetch(API, { ...sent, body: "x" });
  assert.deepEqual(
    [broken.status, await broken.json()],
    [400, { result: "error", message: "The body is not multipart/form-data." }],
  );
});

test("RFC 6749 section 2.3.1: credentials in the address of a POST are refused without reading them, unless API_ALLOW_GET is set", async () => {
  const { identifier, secret } = credential;
  const form = { identifier, secret, action: "ListOAuthCredentials" };
  const willing = await startSignet({ vars: { API_ALLOW_GET: true } });
  try {
    await signet.ops.reset();
    for (const name of ["identifier", "secret", "username", "password", "accesskey", "Secret", "secret[]"]) {
      for (const body of [form, { action: "ListOAuthCredentials" }]) {
        const response = await post(body, {
          login: null,
          query: `?${new URLSearchParams({ [name]: secret, responsetype: "json" })}`,
        });
        const answer = { status: response.status, ...(await response.json()) };
        assert.deepEqual(answer, error("Credentials belong in the body, not in the address", 403), name);
      }
    }
    assert.equal((await signet.ops.read())["kv.get"], 0);
    await signet.logged("credentials_in_address");
    assert.ok(!JSON.stringify(signet.logs).includes(secret));
    const { body: api } = await willing.admin("POST", "/api-credentials", { name: "Old", actions: ACTIONS });
    const query = new URLSearchParams({
      identifier: api.identifier,
      secret: api.secret,
      action: "ListOAuthCredentials",
    });
    assert.equal((await (await willing.fetch(`${API}?${query}`, { method: "POST" })).json()).result, "success");
  } finally {
    await willing.close();
  }
});

test("CreateSsoToken: a token that signs the client in, once, at the destination", async () => {
  for (const [form, place] of [
    [{ client_id: 1 }, "clientarea.php"],
    [{ user_id: 1 }, "clientarea.php"],
    [{ client_id: 1, user_id: 1, destination: "clientarea:invoices" }, "clientarea.php?action=invoices"],
    [
      { client_id: 1, destination: "clientarea:product_details", service_id: 12 },
      "clientarea.php?action=productdetails&id=12",
    ],
    [
      { client_id: 1, destination: "clientarea:domain_details", domain_id: 34 },
      "clientarea.php?action=domaindetails&id=34",
    ],
    [
      { client_id: 1, destination: "sso:custom_redirect", sso_redirect_path: "/cart.php?a=view&b=2" },
      "cart.php?a=view&b=2",
    ],
    [
      { client_id: 1, destination: "sso:custom_redirect", sso_redirect_path: "cart.php?a=view&b=2" },
      "cart.php?a=view&b=2",
    ],
  ]) {
    const { status, ...answer } = await call("CreateSsoToken", form);
    assert.deepEqual([status, Object.keys(answer).sort()], [200, ["access_token", "redirect_url", "result"]]);
    assert.equal(answer.redirect_url, `${signet.issuer}/oauth/singlesignon.php?access_token=${answer.access_token}`);
    assert.equal(claimsOf(answer.access_token).client_id, credential.identifier);
    const opened = await open(answer);
    assert.deepEqual([opened.status, opened.headers.get("location")], [302, `${signet.issuer}/${place}`]);
    assert.equal((await open(answer)).status, 401, "once");
  }
  const several = await Promise.all([1, 2, 3].map(() => call("CreateSsoToken", { client_id: 2 })));
  for (const answer of several) assert.equal((await open(answer)).status, 302, "several may be live at once");
});

test("CreateSsoToken: each mistake has WHMCS's text, with status 200", async () => {
  await putUser(signet, "3", { status: "Closed" });
  await putUser(signet, "4", { sso: false });
  const not = (what) => `Token could not be provisioned: invalid_request. ${what}`;
  for (const [form, message] of [
    [{}, "A valid client_id or user_id is required"],
    [{ client_id: 99 }, "Invalid client_id"],
    [{ client_id: "a b" }, "Invalid client_id"],
    [{ user_id: 99 }, "Invalid user_id"],
    [{ client_id: 1, user_id: 2 }, "Invalid user_id for client"],
    [{ client_id: 1, destination: "clientarea:homepage" }, "Invalid destination"],
    [{ client_id: 3 }, "SSO authentication blocked for client 3"],
    [{ client_id: 4 }, "SSO authentication blocked for client 4"],
    [{ client_id: 1, destination: "clientarea:product_details" }, not("The destination needs a service_id.")],
    [{ client_id: 1, destination: "clientarea:domain_details" }, not("The destination needs a domain_id.")],
    [{ client_id: 1, destination: "sso:custom_redirect" }, not("The destination needs an sso_redirect_path.")],
    [
      { client_id: 1, destination: "clientarea:product_details", service_id: 22 },
      not("The service or domain is not the client's."),
    ],
    [
      { client_id: 1, destination: "sso:custom_redirect", sso_redirect_path: "//evil.example" },
      not("The sso_redirect_path is not a path within the client area."),
    ],
  ]) {
    assert.deepEqual(await call("CreateSsoToken", form), error(message), JSON.stringify(form));
  }
});

test("CreateOAuthCredential: creates a set for the owner of the service, which gets tokens", async () => {
  const { status, result, credentialId, clientIdentifier, clientSecret } = await sso({
    redirectUri: "https://a.example/cb",
    name: "Panel ü",
  });
  assert.deepEqual([status, result, Number.isInteger(credentialId)], [200, "success", true]);
  const set = { client_id: clientIdentifier, client_secret: clientSecret };
  const token = await (await postToken(signet, set)).json();
  assert.deepEqual([claimsOf(token.access_token).sub, claimsOf(token.access_token).service_id], ["1", "12"]);
  const { body } = await signet.admin("GET", `/credentials/${clientIdentifier}`);
  assert.deepEqual([body.name, body.redirect_uris, body.user_id], ["Panel ü", ["https://a.example/cb"], "1"]);
  const { clientIdentifier: unnamed } = await sso({});
  assert.equal((await signet.admin("GET", `/credentials/${unnamed}`)).body.name, "Service 12");
});

test("CreateOAuthCredential: each mistake has WHMCS's text", async () => {
  for (const [form, message] of [
    [{ grantType: "" }, "A valid grant type is required."],
    [{ grantType: "authorization_code" }, 'The requested grant type "authorization_code" is invalid.'],
    [{ serviceId: "" }, "A service ID is required for the single sign-on grant type."],
    [{ scope: "" }, "At least one valid scope is required."],
    [{ scope: "clientarea:sso openid" }, 'The requested scope "openid" is invalid.'],
    [{ serviceId: "a b" }, "A valid Service ID is required."],
    [{ serviceId: "99" }, "Service ID not associated with valid Client."],
    [{ name: "x".repeat(129) }, "The name must have 1 to 128 characters."],
    [
      { description: "x".repeat(1025) },
      "A text is longer than 1024 characters or has control characters, or there are more than 20 redirect_uris.",
    ],
  ]) {
    assert.deepEqual(await sso(form), error(message), JSON.stringify(form));
  }
  const response = await post({
    action: "CreateOAuthCredential",
    grantType: "single_sign_on",
    scope: "clientarea:sso",
    serviceId: "12",
    name: "a\nb",
    responsetype: "xml",
  });
  assert.equal(response.status, 200);
  assert.match(await response.text(), /<message>The name must have 1 to 128 characters\.<\/message>/);
});

test("a service belongs to its present owner: moved, dropped and deleted services no longer belong to the old one", async () => {
  const owner = async (serviceId) => {
    const { clientIdentifier, message } = await sso({ serviceId });
    return message ?? (await signet.admin("GET", `/credentials/${clientIdentifier}`)).body.user_id;
  };
  const nobody = "Service ID not associated with valid Client.";
  await putUser(signet, "5", { services: [50, 51] });
  assert.deepEqual([await owner(50), await owner(51)], ["5", "5"]);
  await putUser(signet, "6", { services: [50] });
  await signet.admin("PATCH", "/users/5", { services: ["51"] });
  assert.deepEqual([await owner(50), await owner(51)], ["6", "5"]);
  await signet.admin("PATCH", "/users/6", { status: "Inactive" });
  assert.equal(await owner(50), "6");
  await signet.admin("DELETE", "/users/6");
  assert.equal(await owner(50), nobody);
  await signet.admin("PATCH", "/users/5", { services: [] });
  assert.equal(await owner(51), nobody);
  const keys = (await (await signet.kv()).list({ prefix: "service:5" })).keys;
  assert.deepEqual(keys, []);
  for (const user of ["5", "6"]) await putUser(signet, user, { services: [52] });
  assert.equal(await owner(52), "6", "who listed it last");
  await signet.admin("PATCH", "/users/6", { services: [] });
  assert.equal(await owner(52), "5", "who lists it still");
});

test("UpdateOAuthCredential: partial updates by number or identifier, and a new secret", async () => {
  const made = await sso({ name: "Old", description: "D" });
  const { credentialId, clientIdentifier } = made;
  const set = { client_id: clientIdentifier, client_secret: made.clientSecret };
  assert.deepEqual(await call("UpdateOAuthCredential", { credentialId, name: "New" }), {
    status: 200,
    result: "success",
    credentialId,
  });
  const scope = "clientarea:sso clientarea:emails";
  await call("UpdateOAuthCredential", {
    clientApiIdentifier: clientIdentifier,
    scope,
    description: "",
    serviceId: 13,
    "redirectUri[]": "https://a.example/",
  });
  const { body } = await signet.admin("GET", `/credentials/${clientIdentifier}`);
  assert.deepEqual(
    [body.name, body.description, body.scopes.join(" "), body.service_id, body.redirect_uris],
    ["New", "", scope, "13", ["https://a.example/"]],
  );
  const { newClientSecret } = await call("UpdateOAuthCredential", { credentialId, resetSecret: "true" });
  assert.equal((await postToken(signet, set)).status, 401);
  assert.equal((await postToken(signet, { ...set, client_secret: newClientSecret })).status, 200);
  for (const [form, message] of [
    [{}, "A Credential ID or Client Identifier is required."],
    [{ credentialId: 1 }, "Invalid Credential ID provided."],
    [{ credentialId: "x" }, "Invalid Credential ID provided."],
    [{ clientApiIdentifier: "x" }, "Invalid Client Identifier provided."],
    [{ credentialId, grantType: "x" }, 'The requested grant type "x" is invalid.'],
    [{ credentialId, scope: "" }, "At least one valid scope is required."],
    [{ credentialId, scope: "x" }, 'The requested scope "x" is invalid.'],
    [{ credentialId, serviceId: 22 }, "Service ID not associated with valid Client."],
    [{ credentialId, name: "x".repeat(129) }, "The name must have 1 to 128 characters."],
  ]) {
    assert.deepEqual(await call("UpdateOAuthCredential", form), error(message), JSON.stringify(form));
  }
});

test("DeleteOAuthCredential: deletes the set and invalidates its tokens", async () => {
  const { credentialId, clientIdentifier, clientSecret } = await sso({});
  const set = { client_id: clientIdentifier, client_secret: clientSecret };
  const token = await (await postToken(signet, set)).json();
  assert.deepEqual(await call("DeleteOAuthCredential", { credentialId }), {
    status: 200,
    result: "success",
    credentialId,
  });
  assert.equal((await open(token)).status, 401);
  assert.equal((await postToken(signet, set)).status, 401);
  for (const form of [{ credentialId }, { credentialId: "x" }, {}]) {
    assert.deepEqual(await call("DeleteOAuthCredential", form), error("Invalid Credential ID provided."));
  }
  assert.ok((await eventsOf(signet, "1")).includes("credential.revoked: by_application"));
});

test("attack 104, ASVS 8.2.1 and 8.2.2: a role for WHMCS's API sees and touches no set that was made elsewhere", async () => {
  const known = await sso({});
  const elsewhere = [
    await createSet(signet, { delegated: true }),
    await createSet(signet, { delegated: true, service_id: 12 }),
    await createSet(signet, { user_id: "1" }),
    await createSet(signet, { user_id: "2", scopes: ["clientarea:emails"], disabled: true }),
  ];
  const numberOf = async (id) => {
    const { keys } = await (await signet.kv()).list({ prefix: "credential-id:" });
    for (const { name } of keys) if (JSON.parse(await (await signet.kv()).get(name)) === id) return name.split(":")[1];
  };
  const stored = async (id) => (await signet.kv()).get(`credential:${id}`);
  for (const { client_id } of elsewhere) {
    const before = await stored(client_id);
    const credentialId = await numberOf(client_id);
    assert.ok(credentialId, "it has a number");
    for (const change of [
      {},
      { resetSecret: "true" },
      { scope: "clientarea:sso sso:custom_redirect" },
      { serviceId: "12" },
      { name: "Mine" },
    ]) {
      for (const [reference, message] of [
        [{ credentialId }, "Invalid Credential ID provided."],
        [{ clientApiIdentifier: client_id }, "Invalid Client Identifier provided."],
      ]) {
        assert.deepEqual(
          await call("UpdateOAuthCredential", { ...reference, ...change }),
          error(message),
          JSON.stringify(change),
        );
      }
    }
    assert.deepEqual(await call("DeleteOAuthCredential", { credentialId }), error("Invalid Credential ID provided."));
    assert.equal(await stored(client_id), before, "nothing was written");
  }
  const { clients } = await call("ListOAuthCredentials");
  const listed = clients.map(({ clientIdentifier }) => clientIdentifier);
  assert.ok(listed.includes(known.clientIdentifier));
  assert.deepEqual(
    elsewhere.filter(({ client_id }) => listed.includes(client_id)),
    [],
  );
  for (const [change, message] of [
    [{ serviceId: "" }, "A service ID is required for the single sign-on grant type."],
    [{ serviceId: "22" }, "Service ID not associated with valid Client."],
    [{ scope: "clientarea:sso openid" }, 'The requested scope "openid" is invalid.'],
  ]) {
    const outcome = await call("UpdateOAuthCredential", { credentialId: known.credentialId, ...change });
    assert.deepEqual(
      outcome,
      error(message),
      "no change takes a set out of the caller's sight, or widens it beyond WHMCS's scopes",
    );
  }
  assert.equal(
    (await call("CreateSsoToken", { client_id: 1 })).result,
    "success",
    "tokens by the API credential itself need no set",
  );
});

test("ListOAuthCredentials: every field, sorted and limited; no secret is ever listed", async () => {
  const fresh = await startSignet();
  try {
    const { body: api } = await fresh.admin("POST", "/api-credentials", { name: "P", actions: ACTIONS });
    const list = async (form = {}) => {
      return (
        await postForm(fresh, API, {
          identifier: api.identifier,
          secret: api.secret,
          action: "ListOAuthCredentials",
          ...form,
        })
      ).json();
    };
    assert.deepEqual(await list(), { result: "success", clients: [] });
    await putUser(fresh, "1");
    const sets = [];
    for (const name of ["b", "c", "a"]) sets.push(await createSet(fresh, { user_id: "1", name, service_id: 7 }));
    const { clients } = await list({ sortField: "name" });
    const { createdAt, updatedAt, credentialId, ...row } = clients[0];
    assert.deepEqual(row, {
      name: "a",
      description: "",
      grantTypes: "single_sign_on",
      scope: "clientarea:sso clientarea:invoices",
      clientIdentifier: sets[2].client_id,
      clientSecret: "",
      uuid: null,
      serviceId: 7,
      logoUri: "",
      redirectUri: [],
      rsaKeyPairId: 0,
    });
    assert.match(createdAt, /^\d{1,2}(st|nd|rd|th) [A-Z][a-z]+ \d{4} \d{1,2}:\d\d:\d\d[ap]m$/);
    assert.ok(Number.isInteger(credentialId) && updatedAt === createdAt);
    const names = async (form) => (await list(form)).clients.map(({ name }) => name).join("");
    assert.equal(await names({ sortField: "name", sortOrder: "DESC" }), "cba");
    assert.equal(await names({ sortField: "name", limit: 2 }), "ab");
    assert.equal(await names({ grantType: "authorization_code" }), "");
    for (const { client_secret } of sets) assert.ok(!JSON.stringify(await list()).includes(client_secret));
  } finally {
    await fresh.close();
  }
});

test("JSON is escaped as by PHP, XML has the root element and the action that clients look for", async () => {
  const raw = await (await post({ action: "CreateSsoToken", client_id: 1 })).text();
  assert.match(raw, /"redirect_url":"http:\\\/\\\/localhost/);
  const response = await post({ action: "CreateSsoToken", client_id: 1, responsetype: "XML" });
  assert.match(response.headers.get("content-type"), /application\/xml/);
  const xml = await response.text();
  assert.match(xml, /^<\?xml version="1\.0" encoding="utf-8"\?>\n<whmcsapi>\n<action>createssotoken<\/action>\n/);
  assert.match(xml, /<result>success<\/result>/);
  const failed = await (await post({ action: "DeleteOAuthCredential", responsetype: "xml" })).text();
  assert.match(failed, /<message>Invalid Credential ID provided\.<\/message>/);
});

test("API_ALLOW_GET: a client that only sends GET is served, and its secret is in no log line", async () => {
  const willing = await startSignet({ vars: { API_ALLOW_GET: true } });
  try {
    await putUser(willing, "1");
    const { body: api } = await willing.admin("POST", "/api-credentials", { name: "Old", actions: ACTIONS });
    const query = (secret) =>
      new URLSearchParams({ username: api.identifier, password: secret, action: "CreateSsoToken", client_id: "1" });
    const response = await willing.fetch(`${API}?${query(api.secret)}`);
    const answer = await response.json();
    assert.deepEqual([response.status, answer.result], [200, "success"]);
    assert.equal((await willing.fetch(`/oauth/singlesignon.php?access_token=${answer.access_token}`)).status, 302);
    const refused = await willing.fetch(`${API}?${query("wrong-secret")}`);
    assert.deepEqual(
      [refused.status, await refused.json()],
      [403, { result: "error", message: "Authentication Failed" }],
    );
    for (const line of [response, refused]) await willing.logged(line.headers.get("x-request-id"));
    const logs = JSON.stringify(willing.logs);
    for (const secret of [api.secret, encodeURIComponent(api.secret), "wrong-secret", answer.access_token])
      assert.ok(!logs.includes(secret));
    for (const method of ["HEAD", "PUT", "DELETE", "OPTIONS"]) {
      const { status, headers } = await willing.fetch(API, { method });
      assert.deepEqual([status, headers.get("allow")], [405, "GET, POST"], method);
    }
  } finally {
    await willing.close();
  }
});

test("RFC 9110: only POST; a body over the limit and a storage failure are answered in the API's own format", async () => {
  const { identifier, secret } = credential;
  const query = new URLSearchParams({ identifier, secret, action: "ListOAuthCredentials" });
  for (const method of ["GET", "PUT", "DELETE", "HEAD", "OPTIONS"]) {
    const response = await signet.fetch(`${API}?${query}`, { method });
    assert.deepEqual([response.status, response.headers.get("allow")], [405, "POST"]);
  }
  const large = await post({ action: "x", a: "x".repeat(70_000) });
  assert.deepEqual(
    [large.status, await large.json()],
    [413, { result: "error", message: "The request body is larger than 64 KiB." }],
  );
  for (const target of ["kv.get", "object.run"]) {
    await signet.faults.set([{ target, mode: "throw" }]);
    const response = await post({ action: "CreateSsoToken", client_id: 1 });
    await signet.faults.set([]);
    assert.deepEqual(
      [response.status, response.headers.get("retry-after"), (await response.json()).result],
      [503, "5", "error"],
      target,
    );
  }
});

test("one log line per call, with its outcome and reason, and without a secret", async () => {
  const response = await post({ action: "CreateSsoToken", client_id: 99 });
  const { event, outcome, reason, client_id, user_id } = JSON.parse(
    (await signet.logged(response.headers.get("x-request-id"))).message,
  );
  assert.deepEqual(
    { event, outcome, reason, client_id, user_id },
    {
      event: "whmcs",
      outcome: "denied",
      reason: "refused",
      client_id: credential.identifier,
      user_id: "99",
    },
  );
  const wrong = await post({ action: "x" }, { login: { ...credential, secret: "wrong-secret" } });
  await signet.logged(wrong.headers.get("x-request-id"));
  assert.ok(
    !JSON.stringify(signet.logs).includes("wrong-secret") && !JSON.stringify(signet.logs).includes(credential.secret),
  );
});

test("API credentials: administration shows the secret once, changes and revokes them; KV has only a digest", async () => {
  const made = await createApiCredential({
    name: "Life",
    actions: ["CreateSsoToken"],
    allowed_addresses: ["192.0.2.1"],
  });
  const { secret, ...shown } = made;
  const path = `/api-credentials/${made.identifier}`;
  assert.deepEqual((await signet.admin("GET", path)).body, shown);
  assert.ok(
    (await signet.admin("GET", "/api-credentials")).body.api_credentials.some(
      ({ identifier }) => identifier === made.identifier,
    ),
  );
  assert.ok(!(await (await signet.kv()).get(`api-credential:${made.identifier}`)).includes(secret));
  const patched = await signet.admin("PATCH", path, { actions: [], allowed_addresses: [] });
  assert.deepEqual([patched.status, patched.body.actions, patched.body.name], [200, [], "Life"]);
  assert.equal((await call("CreateSsoToken", { client_id: 1 }, { login: made })).status, 403);
  for (const [method, body, status] of [
    ["PATCH", { actions: ["GetClients"] }, 400],
    ["PATCH", { name: "" }, 400],
    ["PATCH", { identifier: "x" }, 400],
    ["PUT", {}, 405],
    ["DELETE", undefined, 204],
    ["DELETE", undefined, 404],
    ["GET", undefined, 404],
    ["PATCH", {}, 404],
  ]) {
    assert.equal((await signet.admin(method, path, body)).status, status, `${method} ${JSON.stringify(body)}`);
  }
  assert.deepEqual(
    await call("CreateSsoToken", { client_id: 1 }, { login: made }),
    error("Authentication Failed", 403),
  );
  assert.equal((await signet.admin("POST", "/api-credentials", { name: "x" })).status, 400);
  const headers = { ...basic({ client_id: made.identifier, client_secret: secret }) };
  assert.equal(
    (await postForm(signet, "/oauth/token", { grant_type: "single_sign_on" }, headers)).status,
    401,
    "it is no credential set",
  );
});
