import pulumi
import pulumi_livekit_sip as livekit_sip

config = pulumi.Config()
password = config.require_secret("password")
pending_password = config.require_secret("pendingPassword")
reception = livekit_sip.SipTrunk("reception",
    type=livekit_sip.SipTrunkType.EXTENSION,
    extension="1011",
    address="pbx.acme.com",
    password=password,
    pending_password=pending_password,
    country="US")
