/** Why a secret did not come. `code` is stable (SECRET_NOT_GRANTED, SECRET_REVOKED, SECRET_WAITING, LEASE_ENDED, …; the list is mooring's
 *  docs/errors.md, plus NOT_UNDER_MOORING, PROTOCOL and CLOSED of this package); `retry` says whether asking again later can help. */
export class SecretError extends Error {
  override readonly name: string = "SecretError";
  readonly code: string;
  readonly retry: boolean;

  constructor(code: string, message: string, retry: boolean = false) {
    super(message);
    this.code = code;
    this.retry = retry;
  }
}
