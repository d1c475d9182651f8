import pulumi
import pulumi_livekit_sip as livekit_sip

config = pulumi.Config()
reception_password = config.require_secret("receptionPassword")
reception = livekit_sip.SipTrunk("reception",
    type=livekit_sip.SipTrunkType.EXTENSION,
    extension="1011",
    address="pbx.acme.com",
    password=reception_password,
    country="US")
reception_auth = livekit_sip.InboundAuth("reception",
    trunk=reception.reference,
    method=livekit_sip.InboundAuthMethod.CREDENTIALS)
support = livekit_sip.SipTrunk("support",
    type=livekit_sip.SipTrunkType.DID,
    numbers=["+12025550123"],
    direction=livekit_sip.SipTrunkDirection.INBOUND,
    country="US")
support_auth = livekit_sip.InboundAuth("support",
    trunk=support.reference,
    method=livekit_sip.InboundAuthMethod.IP,
    allowed_addresses=[
        "203.0.113.7",
        "198.51.100.0/24",
    ])
