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
reception_rule = livekit_sip.DispatchRule("reception",
    trunks=[reception.reference],
    rule=livekit_sip.DispatchRuleKind.INDIVIDUAL)
reception_out = livekit_sip.TestCall("reception-out",
    trunk=reception.reference,
    direction=livekit_sip.TestCallDirection.OUTBOUND,
    to="+12025550100")
reception_in = livekit_sip.TestCall("reception-in",
    trunk=reception.reference,
    direction=livekit_sip.TestCallDirection.INBOUND,
    opts = pulumi.ResourceOptions(depends_on=[
            reception_auth,
            reception_rule,
        ]))
