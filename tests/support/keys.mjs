// Signing keys for the tests.

/** A key of so many bytes, from the byte `first` on. */
export const keyBytes = (first, length = 32) => Buffer.from(Array.from({ length }, (_, n) => first + n));

/** The entry of `SIGNING_KEYS` with that key. */
export const keyEntry = (kid, first, length) => `${kid}:${keyBytes(first, length).toString("base64url")}`;
