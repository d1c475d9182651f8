import pulumi
import pulumi_livekit_sip as livekit_sip

config = pulumi.Config()
kamailio_database = config.require_secret("kamailioDatabase")
stored = livekit_sip.kamailio_credential_output(url=kamailio_database,
    username="1011")
office = livekit_sip.SipTrunk("office",
    type=livekit_sip.SipTrunkType.EXTENSION,
    extension="1011",
    address="pbx.acme.com",
    country="US",
    credential=stored.credential)
