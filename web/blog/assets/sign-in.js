// Signs in to the Cognito user pool without sending the password (SRP-6a with RFC 5054's 3072-bit group).

const PRIME = BigInt(
  "0xFFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD" +
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED" +
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F" +
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B" +
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510" +
    "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7" +
    "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C" +
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
);
const GENERATOR = 2n;
const text = new TextEncoder();

export async function signIn(email, password) {
  const config = await (await fetch("/config.json")).json();
  const pool = config.userPoolId.split("_")[1];
  const secret = number(crypto.getRandomValues(new Uint8Array(64)));
  const publicValue = power(GENERATOR, secret);
  const challenge = await cognito(config.region, "InitiateAuth", {
    AuthFlow: "USER_SRP_AUTH",
    ClientId: config.userPoolClientId,
    AuthParameters: { USERNAME: email, SRP_A: publicValue.toString(16) },
  });
  if (challenge.ChallengeName !== "PASSWORD_VERIFIER") throw new Error(`This page cannot do ${challenge.ChallengeName}.`);
  const answer = await prove(challenge.ChallengeParameters, pool, password, secret, publicValue);
  const done = await cognito(config.region, "RespondToAuthChallenge", {
    ClientId: config.userPoolClientId,
    ChallengeName: challenge.ChallengeName,
    ChallengeResponses: answer,
    Session: challenge.Session,
  });
  if (!done.AuthenticationResult) throw new Error(`This page cannot do ${done.ChallengeName}.`);
  return done.AuthenticationResult.IdToken;
}

async function cognito(region, action, body) {
  const answer = await fetch(`https://cognito-idp.${region}.amazonaws.com/`, {
    method: "POST",
    headers: {
      "Content-Type": "application/x-amz-json-1.1",
      "X-Amz-Target": `AWSCognitoIdentityProviderService.${action}`,
    },
    body: JSON.stringify(body),
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.message ?? "Signing in failed.");
  return told;
}

async function prove(challenge, pool, password, secret, publicValue) {
  const user = challenge.USER_ID_FOR_SRP;
  const server = BigInt(`0x${challenge.SRP_B}`);
  const mixed = number(await hash(padded(publicValue), padded(server)));
  if (server % PRIME === 0n || mixed === 0n) throw new Error("The server is not who it should be.");
  const inner = await hash(text.encode(`${pool}${user}:${password}`));
  const key = number(await hash(padded(BigInt(`0x${challenge.SALT}`)), inner));
  const multiplier = number(await hash(padded(PRIME), padded(GENERATOR)));
  const base = modulo(server - multiplier * power(GENERATOR, key));
  const shared = power(base, secret + mixed * key);
  const seed = await hmac(padded(mixed), padded(shared));
  const signing = (await hmac(seed, text.encode("Caldera Derived Key\x01"))).slice(0, 16);
  const stamp = timestamp(new Date());
  const block = Uint8Array.from(atob(challenge.SECRET_BLOCK), (character) => character.charCodeAt(0));
  const signed = await hmac(signing, joined(text.encode(`${pool}${user}`), block, text.encode(stamp)));
  return {
    USERNAME: user,
    TIMESTAMP: stamp,
    PASSWORD_CLAIM_SECRET_BLOCK: challenge.SECRET_BLOCK,
    PASSWORD_CLAIM_SIGNATURE: btoa(String.fromCharCode(...signed)),
  };
}

function modulo(value) {
  return ((value % PRIME) + PRIME) % PRIME;
}

function power(base, exponent) {
  let result = 1n;
  let factor = modulo(base);
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * factor) % PRIME;
    factor = (factor * factor) % PRIME;
  }
  return result;
}

// Big-endian, with a zero byte in front where the first bit is set.
function padded(value) {
  let digits = value.toString(16);
  if (digits.length % 2) digits = `0${digits}`;
  if (parseInt(digits[0], 16) > 7) digits = `00${digits}`;
  return Uint8Array.from(digits.match(/../g), (pair) => parseInt(pair, 16));
}

function number(bytes) {
  return BigInt(`0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`);
}

function joined(...parts) {
  return Uint8Array.from(parts.flatMap((part) => Array.from(part)));
}

async function hash(...parts) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", joined(...parts)));
}

async function hmac(key, data) {
  const made = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", made, data));
}

// "Sat Nov 7 04:08:00 UTC 2026": English whatever the browser speaks, the day without a leading zero.
function timestamp(now) {
  const [day, date, month, year, time] = now.toUTCString().replace(",", "").split(" ");
  return `${day} ${month} ${Number(date)} ${time} UTC ${year}`;
}
