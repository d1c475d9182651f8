/** The settings of the native provider: those of the connection, and the organization, which no URN names. */

/** What each setting means. */
export const SETTINGS = {
  url: "The URL of the LiveKit project: `wss://…` or `https://…`. By default LIVEKIT_URL in the environment.",
  apiKey: "The API key, with SIP admin rights. By default LIVEKIT_API_KEY in the environment.",
  apiSecret: "The API secret. By default LIVEKIT_API_SECRET in the environment.",
  projectId: "The id of a LiveKit Cloud project (`p_…`), which gives `sipUri` its host.",
  sipHost: "The SIP host of the LiveKit project, if it has no `projectId`.",
  outboundProxy: "The proxy for trunks with `fixedIp`: its address, and the header that carries the real destination.",
  voipHosts:
    "The only hosts that may be the address of a trunk: names such as `pbx.acme.com` or `*.acme.com`, and CIDR ranges.",
  takeOver: "The ids of SipTrunks to take over after the state was lost, separated by commas.",
  organization: "The organization of the stack, for the owners of its resources. By default `organization`.",
} as const;

/** The name of a setting. */
export type Setting = keyof typeof SETTINGS;
