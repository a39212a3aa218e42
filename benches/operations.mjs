// The operations: what is prepared before a batch, and what each of its requests is.

import { encode, header } from "./load.mjs";

/** How many users the batches are spread over. */
export const USERS = 16;

/** A client of a contestant: its users, their credential sets, and the requests of the operations. */
export class Client {
  #contestant;
  #load;
  #host;
  /** The `Authorization` of the credential set of each user. */
  #sets = [];

  constructor(contestant, load) {
    this.#contestant = contestant;
    this.#load = load;
    this.#host = new URL(contestant.issuer).host;
  }

  /** Makes accounts up to `count`, and a credential set for each. */
  async makeUsers(count) {
    const first = this.#sets.length;
    await this.#load.run(Math.max(0, count - first), async (send, n) => {
      const user = String(first + n);
      await this.#admin(send, "PUT", `/users/${user}`, { status: "Active" });
      const set = await this.#admin(send, "POST", "/credentials", {
        name: "Bench",
        user_id: user,
        scopes: ["clientarea:invoices"],
      });
      this.#sets[first + n] = `Basic ${btoa(`${set.client_id}:${set.client_secret}`)}`;
    });
  }

  async #admin(send, method, path, body) {
    const { consoleHost: host, adminToken } = this.#contestant;
    const headers = { Authorization: `Bearer ${adminToken}`, "Content-Type": "application/json" };
    const answer = await send(encode({ method, host, path: `/admin/v1${path}`, headers, body: JSON.stringify(body) }));
    if (answer.status !== 201) throw new Error(`${method} ${path}: ${answer.status} ${answer.body}`);
    return JSON.parse(answer.body);
  }

  /** The request for a token of a user. */
  token(user, authorization = this.#sets[user]) {
    return encode({
      method: "POST",
      host: this.#host,
      path: "/oauth/token",
      headers: { Authorization: authorization },
      body: "grant_type=single_sign_on",
    });
  }

  /** The `Authorization` of a user's credential set with a wrong secret. */
  wrong(user) {
    const [id] = atob(this.#sets[user].slice(6)).split(":");
    return `Basic ${btoa(`${id}:${"w".repeat(43)}`)}`;
  }

  /** The request that redeems a token, as a browser sends it. */
  redemption(token) {
    return encode({
      host: this.#host,
      path: `/oauth/singlesignon?access_token=${token}`,
      headers: {
        Accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "Sec-Fetch-Dest": "document",
        "Sec-Fetch-Mode": "navigate",
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-User": "?1",
        "Upgrade-Insecure-Requests": "1",
      },
    });
  }

  get(path, headers = {}) {
    return encode({ host: this.#host, path, headers });
  }

  /** Issues `count` tokens for `users` users in turn. */
  async tokens(count, users = USERS) {
    const tokens = [];
    await this.#load.run(count, async (send, n) => {
      tokens[n] = tokenOf(expect(await send(this.token(n % users)), 200));
    });
    return tokens;
  }

  /** Signs each user in, and returns the cookies. */
  async cookies(users = USERS) {
    const cookies = [];
    const tokens = await this.tokens(users, users);
    await this.#load.run(users, async (send, n) => {
      cookies[n] = cookieOf(expect(await send(this.redemption(tokens[n])), 302));
    });
    return cookies;
  }
}

/** The token in an answer, which need not be parsed for that. */
export const tokenOf = ({ body }) => /"access_token":"([^"]+)"/.exec(body)[1];

const cookieOf = ({ head }) => header(head, "set-cookie").split(";")[0];

/** The answer, if it has this status. */
export function expect(answer, status) {
  if (answer.status !== status) throw new Error(`expected ${status}, got ${answer.status}: ${answer.body}`);
  return answer;
}

/**
 * The operations. Each prepares a batch of `count` requests, which is not measured, and returns the function that sends the
 * nth request and checks the answer.
 */
export const operations = {
  empty: {
    title: "Empty route",
    async prepare(client) {
      const request = client.get("/healthz");
      return async (send) => expect(await send(request), 200);
    },
  },
  token: {
    title: "Token issue",
    async prepare(client) {
      const requests = Array.from({ length: USERS }, (_, user) => client.token(user));
      return async (send, n) => expect(await send(requests[n % USERS]), 200);
    },
  },
  redeem: {
    title: "Redemption",
    async prepare(client, count) {
      const requests = (await client.tokens(count)).map((token) => client.redemption(token));
      return async (send, n) => expect(await send(requests[n]), 302);
    },
  },
  signin: {
    title: "Whole sign-in",
    async prepare(client) {
      const requests = Array.from({ length: USERS }, (_, user) => client.token(user));
      return async (send, n) => {
        const token = tokenOf(expect(await send(requests[n % USERS]), 200));
        expect(await send(client.redemption(token)), 302);
      };
    },
  },
  session: {
    title: "Session check",
    async prepare(client) {
      const cookies = await client.cookies();
      const requests = cookies.map((Cookie) => client.get("/oauth/session", { Cookie }));
      return async (send, n) => expect(await send(requests[n % USERS]), 200);
    },
  },
  refused: {
    title: "Refused secret",
    async prepare(client) {
      const requests = Array.from({ length: USERS }, (_, user) => client.token(user, client.wrong(user)));
      return async (send, n) => expect(await send(requests[n % USERS]), 401);
    },
  },
  gateway: {
    title: "Gateway request",
    async prepare(client) {
      const cookies = await client.cookies();
      const requests = cookies.map((Cookie) => client.get("/clientarea.php?action=invoices", { Cookie }));
      return async (send, n) => expect(await send(requests[n % USERS]), 200);
    },
  },
};
