// A contestant of the bench: Cloudflare's OAuth library for Workers, at the operations that are nearest to Signet's. It
// keeps tokens in KV and has no object, so it cannot promise that a token is used once.

import { env } from "cloudflare:workers";
import { type OAuthHelpers, OAuthProvider } from "@cloudflare/workers-oauth-provider";

interface Env {
  ISSUER: string;
  OAUTH_PROVIDER: OAuthHelpers;
}

const { ISSUER } = env as Env;
const REDIRECT = "https://client.example/callback";
const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";

/** What a valid token leads to: the identity, as JSON. */
const apiHandler = {
  fetch: (_request: Request, _env: Env, ctx: ExecutionContext) => Response.json(ctx.props),
};

const defaultHandler = {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/healthz") return Response.json({ status: "ok" });
    if (pathname === "/setup") return Response.json(await setUp(await request.text(), env));
    return new Response(null, { status: 404 });
  },
};

/** Registers a client and signs a user in to it: what the bench needs before it begins. */
async function setUp(userId: string, { OAUTH_PROVIDER }: Env) {
  const { clientId, clientSecret } = await OAUTH_PROVIDER.createClient({
    redirectUris: [REDIRECT],
    grantTypes: ["authorization_code", TOKEN_EXCHANGE],
    tokenEndpointAuthMethod: "client_secret_basic",
  });
  const query = new URLSearchParams({
    response_type: "code",
    client_id: clientId,
    redirect_uri: REDIRECT,
    scope: "read",
  });
  const request = await OAUTH_PROVIDER.parseAuthRequest(new Request(`${ISSUER}/authorize?${query}`));
  const props = { user_id: userId };
  const { redirectTo } = await OAUTH_PROVIDER.completeAuthorization({
    request,
    userId,
    scope: ["read"],
    metadata: {},
    props,
  });
  return { clientId, clientSecret, code: new URL(redirectTo).searchParams.get("code"), redirect: REDIRECT };
}

export default new OAuthProvider<Env>({
  apiRoute: "/oauth/session",
  apiHandler,
  defaultHandler,
  authorizeEndpoint: "/authorize",
  tokenEndpoint: "/oauth/token",
  scopesSupported: ["read"],
  resourceMetadata: { resource: `${ISSUER}/oauth/session`, authorization_servers: [ISSUER] },
  allowTokenExchangeGrant: true,
});
