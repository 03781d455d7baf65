// HPKE (RFC 9180). In a package this file is the library itself: see tools/package.js.
export { AEAD_AES_128_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_X25519_HKDF_SHA256 } from "hpke";
