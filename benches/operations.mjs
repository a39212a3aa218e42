// The operations: what is prepared before a batch, which is not measured, and what each of its requests is.

import { encode, header } from "./load.mjs";

/** How many users the batches are spread over, unless a series says otherwise. */
export const USERS = 16;

/** The operations in the order of the report. */
export const TITLES = {
  empty: "Empty route",
  token: "Token issue",
  redeem: "Redemption",
  signin: "Whole sign-in",
  session: "Session check",
  refused: "Refused secret",
  gateway: "Gateway request",
};

/** What calls a contestant. `load` sends its requests. */
class Client {
  constructor(contestant) {
    this.contestant = contestant;
    this.host = new URL(contestant.issuer).host;
  }

  get(path, headers = {}) {
    return encode({ host: this.host, path, headers });
  }

  post(path, authorization, body) {
    return encode({ method: "POST", host: this.host, path, headers: { Authorization: authorization }, body });
  }

  /** Makes what every operation needs. */
  async setUp() {}

  /** The operations that this contestant has. Each prepares `count` requests and returns what sends the nth of them. */
  operations = { empty: () => each(() => this.get("/healthz"), 200) };
}

/** Sends the request that `request` returns for n, and checks the status of the answer. */
const each = (request, status) => async (send, n) => expect(await send(request(n)), status);

/** The answer, if it has this status. */
function expect(answer, status) {
  if (answer.status !== status) throw new Error(`expected ${status}, got ${answer.status}: ${answer.body}`);
  return answer;
}

const basic = (id, secret) => `Basic ${btoa(`${id}:${secret}`)}`;
const WRONG = "w".repeat(43);

/** A token in an answer. */
const tokenOf = ({ body }) => /"access_token":"([^"]+)"/.exec(body)[1];

/** A client of Signet or of its stand-in, which have the same contract. */
class SignInClient extends Client {
  /** The id and the secret of the credential set of each user. */
  #sets = [];
  /** The user of the nth request. */
  userOf = (n) => n % USERS;

  setUp() {
    return this.makeUsers(USERS);
  }

  /** Adds `count` accounts, and a credential set for each. Returns the first user. */
  async makeUsers(count) {
    const first = this.#sets.length;
    await this.load.run(count, async (send, n) => {
      const user = first + n;
      await this.#admin(send, "PUT", `/users/${user}`, { status: "Active" });
      const set = { name: "Bench", user_id: String(user), scopes: ["clientarea:invoices"] };
      this.#sets[user] = await this.#admin(send, "POST", "/credentials", set);
    });
    return first;
  }

  async #admin(send, method, path, body) {
    const { consoleHost: host, adminToken } = this.contestant;
    const headers = { Authorization: `Bearer ${adminToken}`, "Content-Type": "application/json" };
    const request = encode({ method, host, path: `/admin/v1${path}`, headers, body: JSON.stringify(body) });
    return JSON.parse(expect(await send(request), 201).body);
  }

  #token(user, secret = this.#sets[user].client_secret) {
    return this.post("/oauth/token", basic(this.#sets[user].client_id, secret), "grant_type=single_sign_on");
  }

  /** The request that redeems a token, as a browser sends it. */
  #redemption(token) {
    return this.get(`/oauth/singlesignon?access_token=${token}`, {
      Accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
      "Sec-Fetch-Dest": "document",
      "Sec-Fetch-Mode": "navigate",
      "Sec-Fetch-Site": "cross-site",
      "Sec-Fetch-User": "?1",
      "Upgrade-Insecure-Requests": "1",
    });
  }

  async #signIn(send, user) {
    const token = tokenOf(expect(await send(this.#token(user)), 200));
    return expect(await send(this.#redemption(token)), 302);
  }

  /** Signs users in: the user of n for each n below `count`. */
  signIn(count, userOf) {
    return this.load.run(count, (send, n) => this.#signIn(send, userOf(n)));
  }

  /** Signs in each user of the first `count` requests, and returns the headers with the cookie of a user. */
  async #cookies(count) {
    const users = [...new Set(Array.from({ length: count }, (_, n) => this.userOf(n)))];
    const cookies = {};
    await this.load.run(users.length, async (send, n) => {
      const { head } = await this.#signIn(send, users[n]);
      cookies[users[n]] = { Cookie: header(head, "set-cookie").split(";")[0] };
    });
    return (n) => cookies[this.userOf(n)];
  }

  operations = {
    ...this.operations,
    token: () => each((n) => this.#token(this.userOf(n)), 200),
    redeem: async (count) => {
      const requests = [];
      await this.load.run(count, async (send, n) => {
        requests[n] = this.#redemption(tokenOf(expect(await send(this.#token(this.userOf(n))), 200)));
      });
      return each((n) => requests[n], 302);
    },
    signin: () => (send, n) => this.#signIn(send, this.userOf(n)),
    session: async (count) => {
      const cookie = await this.#cookies(count);
      return each((n) => this.get("/oauth/session", cookie(n)), 200);
    },
    refused: () => each((n) => this.#token(this.userOf(n), WRONG), 401),
    gateway: async (count) => {
      const cookie = await this.#cookies(count);
      return each((n) => this.get("/clientarea.php?action=invoices", cookie(n)), 200);
    },
  };
}

/** A client of Cloudflare's OAuth library, at its nearest operations. */
class ProviderClient extends Client {
  /** For each user, the id and the secret of an application, and the token that it got by the authorization code. */
  #grants = [];

  async setUp() {
    await this.load.run(USERS, async (send, n) => {
      const request = encode({ method: "POST", host: this.host, path: "/setup", body: String(n) });
      const { clientId, clientSecret, code, redirect } = JSON.parse(expect(await send(request), 200).body);
      const form = new URLSearchParams({ grant_type: "authorization_code", code, redirect_uri: redirect });
      const answer = await send(this.post("/oauth/token", basic(clientId, clientSecret), String(form)));
      this.#grants[n] = { clientId, clientSecret, token: tokenOf(expect(answer, 200)) };
    });
  }

  #exchange(n, secret = this.#grants[n % USERS].clientSecret) {
    const { clientId, token } = this.#grants[n % USERS];
    const form = new URLSearchParams({
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      subject_token: token,
      subject_token_type: "urn:ietf:params:oauth:token-type:access_token",
    });
    return this.post("/oauth/token", basic(clientId, secret), String(form));
  }

  operations = {
    ...this.operations,
    token: () => each((n) => this.#exchange(n), 200),
    session: () =>
      each((n) => this.get("/oauth/session", { Authorization: `Bearer ${this.#grants[n % USERS].token}` }), 200),
    refused: () => each((n) => this.#exchange(n, WRONG), 401),
  };
}

/** The client of a contestant. Set its `load` to connections before its first request. */
export function clientOf(contestant) {
  const types = { empty: Client, provider: ProviderClient };
  const Type = types[contestant.name] ?? SignInClient;
  return new Type(contestant);
}
