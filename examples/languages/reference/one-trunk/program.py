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
