// Signing keys for the tests.

/** A key of `length` bytes: `first` and the numbers after it. */
export const keyBytes = (first, length = 32) => Buffer.from(Array.from({ length }, (_, n) => first + n));

/** The entry of `SIGNING_KEYS` with that key. */
export const keyEntry = (kid, first, length) => `${kid}:${keyBytes(first, length).toString("base64url")}`;
