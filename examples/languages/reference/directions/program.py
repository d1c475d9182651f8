import pulumi
import pulumi_livekit_sip as livekit_sip

config = pulumi.Config()
dialler_password = config.require_secret("diallerPassword")
hotline = livekit_sip.SipTrunk("hotline",
    type=livekit_sip.SipTrunkType.DID,
    numbers=["+12025550123"],
    direction=livekit_sip.SipTrunkDirection.INBOUND,
    country="US")
dialler = livekit_sip.SipTrunk("dialler",
    type=livekit_sip.SipTrunkType.DID,
    numbers=["+12025550123"],
    direction=livekit_sip.SipTrunkDirection.OUTBOUND,
    address="sip.provider.example",
    username="acme",
    password=dialler_password,
    country="US")
