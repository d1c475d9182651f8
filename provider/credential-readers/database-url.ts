/**
 * What a database URL says about the connection, above all about TLS: off this machine the server's certificate is verified, unless the
 * URL says otherwise in so many words. Otherwise whoever answers in the database's place would get the password.
 */

import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { type ConnectionOptions, checkServerIdentity } from "node:tls";
import { isLoopback, unbracketed } from "../host-text";
import type { Fail } from "./errors";

/** How to reach a PostgreSQL server. The driver reads the URL itself, without the parameters about TLS. */
export interface PostgresConnection {
  readonly connectionString: string;
  /** The driver's option `ssl` for the host that it has found. Without one, the driver asks its environment. */
  tlsFor(host: string): { ssl?: false | ConnectionOptions };
}

const POSTGRES_TLS = ["sslmode", "ssl", "sslrootcert", "sslcert", "sslkey"] as const;

/** Reads a postgres:// URL. */
export function postgresConnection(url: string, fail: Fail): PostgresConnection {
  const [start = "", query = ""] = split(url);
  const parameters = new URLSearchParams(query);
  if (parameters.has("uselibpqcompat") || parameters.has("sslnegotiation")) {
    throw fail(
      "`url` has a parameter about TLS that this reader does not know: use sslmode, sslrootcert, sslcert and sslkey",
    );
  }
  const [mode, flag, ca, cert, key] = POSTGRES_TLS.map((name) => parameters.get(name) ?? undefined);
  const wanted = wantedTls(mode, flag, fail);
  for (const name of POSTGRES_TLS) {
    parameters.delete(name);
  }
  const rest = parameters.toString();
  return {
    connectionString: rest === "" ? start : `${start}?${rest}`,
    tlsFor: (host) => {
      const isLocal = isLoopback(host) || host.startsWith("/");
      const hasFiles = [ca, cert, key].some((file) => file !== undefined);
      if (wanted === "none" || (wanted === undefined && isLocal && !hasFiles)) {
        return wanted === "none" ? { ssl: false } : {};
      }
      return {
        ssl: {
          ...(ca === undefined ? {} : { ca: readFileSync(ca, "utf8") }),
          ...(cert === undefined ? {} : { cert: readFileSync(cert, "utf8") }),
          ...(key === undefined ? {} : { key: readFileSync(key, "utf8") }),
          rejectUnauthorized: wanted !== "unverified",
          // The driver does not tell Node the host if it is an IP address, and Node would check the name localhost instead.
          checkServerIdentity: (_host, certificate) => checkServerIdentity(host, certificate),
        },
      };
    },
  };
}

/** What the URL says. Undefined if it says nothing. */
function wantedTls(mode: string | undefined, flag: string | undefined, fail: Fail) {
  switch (mode ?? flag) {
    case undefined:
      return undefined;
    case "disable":
    case "false":
    case "0":
      return "none";
    case "no-verify":
      return "unverified";
    case "verify-full":
    case "verify-ca":
    case "require":
    case "prefer":
    case "true":
    case "1":
      return "verified";
    default:
      throw fail(
        "`url` has an sslmode that is not known: use verify-full, or disable to send everything in clear text",
      );
  }
}

/**
 * The driver's options of a mysql:// URL. Of the parameters only `ssl` and `socketPath` are taken: mysql2 has ones that print all
 * traffic, and passes over unknown ones, so that a mistyped `ssl` would go unnoticed.
 */
export function mysqlConnection(text: string, fail: Fail) {
  const url = new URL(text);
  const { ssl, socketPath, ...others } = Object.fromEntries(url.searchParams);
  if (Object.keys(others).length > 0) {
    throw fail(
      '`url` has a parameter that is neither ssl nor socketPath: for TLS write ?ssl=true, or ?ssl={"ca":"…"} with a certificate authority of your own',
    );
  }
  const host = decodeURIComponent(unbracketed(url.hostname)) || "localhost";
  const isLocal = isLoopback(host) || socketPath !== undefined;
  const tls = mysqlTls(ssl, isLocal, fail);
  if (tls && !isLocal && isIP(host) !== 0 && tls.verifyIdentity !== false && tls.rejectUnauthorized !== false) {
    throw fail(
      "the driver can't check a TLS certificate for an IP address: use the host name of the certificate in `url`, or append ?ssl=false to send everything in clear text",
    );
  }
  return {
    host,
    port: Number(url.port || 3306),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)),
    ...(tls ? { ssl: tls } : {}),
    ...(socketPath === undefined ? {} : { socketPath }),
  };
}

/**
 * mysql2's `ssl`: verified, or a JSON object of TLS options. The certificate's name is checked too, which mysql2 does not do by itself.
 * Undefined for a connection without TLS.
 */
function mysqlTls(ssl: string | undefined, isLocal: boolean, fail: Fail): Record<string, unknown> | undefined {
  if (ssl === "false" || (ssl === undefined && isLocal)) {
    return undefined;
  }
  if (ssl === undefined || ssl === "true" || ssl === "1" || ssl === "") {
    return { verifyIdentity: true };
  }
  if (!ssl.startsWith("{")) {
    throw fail(
      'the parameter ssl in `url` is not known: use true, false, or {"ca":"…"} with a certificate authority of your own',
    );
  }
  return { verifyIdentity: true, ...JSON.parse(ssl) };
}

/** A URL before its question mark, and after it. */
function split(url: string): string[] {
  const mark = url.indexOf("?");
  return mark < 0 ? [url] : [url.slice(0, mark), url.slice(mark + 1)];
}
