import pulumi
import pulumi_livekit_sip as livekit_sip

support = livekit_sip.SipTrunk("support",
    type=livekit_sip.SipTrunkType.DID,
    numbers=["+12025550123"],
    direction=livekit_sip.SipTrunkDirection.INBOUND,
    country="US")
support_rule = livekit_sip.DispatchRule("support",
    trunks=[support.reference],
    rule=livekit_sip.DispatchRuleKind.INDIVIDUAL,
    room_prefix="support-",
    agents=[{
        "agent_name": "receptionist",
    }])
