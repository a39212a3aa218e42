// The signing keys, derived from SIGNING_KEYS once per isolate, and the texts that they sign.

import { base64url, CompactSign, jwtVerify } from "jose";

/** What a signed text is for. Each purpose has a key and a `typ` of its own. */
type Purpose = "sso+jwt" | "session+jwt";

interface Key {
  kid: string;
  purposes: Record<Purpose, CryptoKey>;
  assertion: CryptoKey;
}

const encoder = new TextEncoder();
/** The PKCS #8 encoding of a private key on P-256 without its last 32 bytes, the scalar. */
const PKCS8_HEAD = base64url.decode("MEECAQAwEwYHKoZIzj0CAQYIKoZIzj0DAQcEJzAlAgEBBCA");
const ES256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

export class Keys {
  private static imported: Promise<Keys> | undefined;
  private readonly assertionHeader: string;

  private constructor(private readonly keys: Key[]) {
    const header = { alg: "ES256", typ: "assertion+jwt", kid: keys[0].kid };
    this.assertionHeader = base64url.encode(JSON.stringify(header));
  }

  /** The keys of the setting, whose entries are `kid:base64url`. A changed setting is a new isolate. */
  static of(setting: string): Promise<Keys> {
    Keys.imported ??= Promise.all(setting.split(/[,\s]+/).map(importKey)).then((keys) => new Keys(keys));
    return Keys.imported;
  }

  /** Signs claims. `SignJWT` would clone them first. */
  sign(purpose: Purpose, claims: object): Promise<string> {
    const [{ kid, purposes }] = this.keys;
    const payload = encoder.encode(JSON.stringify(claims));
    return new CompactSign(payload).setProtectedHeader({ alg: "HS256", typ: purpose, kid }).sign(purposes[purpose]);
  }

  /** The claims of a text that one of the keys signed for this purpose, at `now`. Throws the errors of jose. */
  async open<T>(purpose: Purpose, text: string, now: number, expected: { issuer?: string; audience?: string } = {}) {
    const keyOf = ({ kid }: { kid?: string }) => {
      const key = this.keys.find((key) => key.kid === kid);
      if (!key) throw new Error("unknown key");
      return key.purposes[purpose];
    };
    const options = { algorithms: ["HS256"], typ: purpose, currentDate: new Date(now * 1000), requiredClaims: ["exp"] };
    const { payload } = await jwtVerify<T>(text, keyOf, { ...options, ...expected });
    return payload;
  }

  /** Signs an assertion with ES256: `header.payload.signature`. */
  async assert(claims: object): Promise<string> {
    const text = `${this.assertionHeader}.${base64url.encode(JSON.stringify(claims))}`;
    const signature = await crypto.subtle.sign(ES256, this.keys[0].assertion, encoder.encode(text));
    return `${text}.${base64url.encode(new Uint8Array(signature))}`;
  }
}

async function importKey(entry: string): Promise<Key> {
  const [kid, bytes] = entry.split(":");
  const key = await crypto.subtle.importKey("raw", base64url.decode(bytes), "HKDF", false, ["deriveBits"]);
  const derive = (label: string) =>
    crypto.subtle.deriveBits(
      { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: encoder.encode(label) },
      key,
      256,
    );
  const hmac = async (purpose: Purpose) =>
    crypto.subtle.importKey("raw", await derive(purpose), { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
  const [token, session, scalar] = await Promise.all([hmac("sso+jwt"), hmac("session+jwt"), derive("assertion")]);
  const pkcs8 = new Uint8Array([...PKCS8_HEAD, ...new Uint8Array(scalar)]);
  const assertion = await crypto.subtle.importKey("pkcs8", pkcs8, ES256, false, ["sign"]);
  return { kid, purposes: { "sso+jwt": token, "session+jwt": session }, assertion };
}
