import pulumi
import pulumi_livekit_sip as livekit

config = pulumi.Config()

reception = livekit.SipTrunk(
    "reception",
    type=livekit.SipTrunkType.EXTENSION,
    extension="1011",
    address=config.require("address"),
    password=config.require_secret("password"),
    country="US",
)
livekit.InboundAuth(
    "reception",
    trunk=reception.reference,
    method=livekit.InboundAuthMethod.CREDENTIALS,
)
livekit.DispatchRule(
    "reception",
    trunks=[reception.reference],
    rule=livekit.DispatchRuleKind.INDIVIDUAL,
    agents=[livekit.DispatchRuleAgentArgs(agent_name="receptionist")],
)

pulumi.export("outboundTrunkId", reception.outbound_trunk_id)
