import pulumi
import pulumi_livekit_sip as livekit_sip

config = pulumi.Config()
staging_api_secret = config.require_secret("stagingApiSecret")
staging = livekit_sip.Provider("staging",
    url="wss://staging.livekit.cloud",
    api_key="APIstaging",
    api_secret=staging_api_secret)
hotline = livekit_sip.SipTrunk("hotline",
    type=livekit_sip.SipTrunkType.DID,
    numbers=["+12025550123"],
    direction=livekit_sip.SipTrunkDirection.INBOUND,
    country="US",
    opts = pulumi.ResourceOptions(provider=staging))
