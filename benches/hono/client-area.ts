// The client area, its scopes, and the address of each destination.

const PATHS: Record<string, string> = {
  "clientarea:profile": "clientarea.php?action=details",
  "clientarea:billing_info": "clientarea.php?action=creditcard",
  "clientarea:emails": "clientarea.php?action=emails",
  "clientarea:announcements": "announcements.php",
  "clientarea:downloads": "downloads.php",
  "clientarea:knowledgebase": "knowledgebase.php",
  "clientarea:network_status": "serverstatus.php",
  "clientarea:services": "clientarea.php?action=services",
  "clientarea:product_details": "clientarea.php?action=productdetails&id={service_id}",
  "clientarea:domains": "clientarea.php?action=domains",
  "clientarea:domain_details": "clientarea.php?action=domaindetails&id={domain_id}",
  "clientarea:invoices": "clientarea.php?action=invoices",
  "clientarea:tickets": "supporttickets.php",
  "clientarea:submit_ticket": "submitticket.php",
  "clientarea:shopping_cart": "cart.php",
  "clientarea:shopping_cart_addons": "cart.php?gid=addons",
  "clientarea:shopping_cart_domain_register": "cart.php?a=add&domain=register",
  "clientarea:shopping_cart_domain_transfer": "cart.php?a=add&domain=transfer",
};
/** The client area. A changed setting is a new isolate. */
let home: URL | undefined;
const HOME = "clientarea.php";
export const BASE_SCOPE = "clientarea:sso";
const CUSTOM_REDIRECT = "sso:custom_redirect";

/** The parameters that a destination may need. */
export interface Inputs {
  service_id?: string;
  domain_id?: string;
  sso_redirect_path?: string;
}

export const isDestination = (scope: string) => Object.hasOwn(PATHS, scope) || scope === CUSTOM_REDIRECT;
export const isScope = (scope: string) => scope === BASE_SCOPE || isDestination(scope);

/** The only destination among the scopes of a token, or null. */
export function onlyDestination(scopes: string[]): string | null {
  const destinations = scopes.filter((scope) => scope !== BASE_SCOPE);
  return destinations.length === 1 ? destinations[0] : null;
}

/** The address of a destination below the client area; of its home page without a destination. Returns the missing input. */
export function locate(
  base: string,
  destination: string | null,
  inputs: Inputs,
): { location: string } | { missing: string } {
  let path = destination === null ? HOME : PATHS[destination];
  if (destination === CUSTOM_REDIRECT) {
    if (inputs.sso_redirect_path === undefined) return { missing: "sso_redirect_path" };
    path = inputs.sso_redirect_path;
  }
  for (const name of ["service_id", "domain_id"] as const) {
    if (!path.includes(`{${name}}`)) continue;
    const value = inputs[name];
    if (value === undefined) return { missing: name };
    path = path.replace(`{${name}}`, value);
  }
  home ??= new URL(base);
  const url = new URL(path, home);
  return { location: url.origin === home.origin && url.pathname.startsWith(home.pathname) ? url.href : home.href };
}

const WORD = /^(?=.*[^.])[A-Za-z0-9._-]{1,64}$/;
export const isUserId = (text: string) => WORD.test(text);
export const isOwnedId = (text: string) => /^[A-Za-z0-9._-]{1,64}$/.test(text);
export const isClientId = (text: string) => /^[A-Za-z0-9._~+/=-]{1,128}$/.test(text);
/** Whether a path cannot lead to another origin. `locate` checks the result too. */
export const isRelativePath = (text: string) =>
  text.length <= 1024 && /^[!#-[\]-~]*$/.test(text) && !/^[/\\]{2}|^[a-z]+:/i.test(text);
