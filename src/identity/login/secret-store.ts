/** Where the secrets of logins are kept, each under the name of its login. */
export interface SecretStore {
  /** Undefined when there is none. @throws {AgentctlError} KEYCHAIN_UNUSABLE, STATE_UNWRITABLE */
  read(name: string): Promise<string | undefined>;
  /** In the place of the one before, as a whole. @throws {AgentctlError} KEYCHAIN_UNUSABLE, STATE_UNWRITABLE */
  write(name: string, secret: string): Promise<void>;
  /** @throws {AgentctlError} KEYCHAIN_UNUSABLE */
  remove(name: string): Promise<void>;
}
