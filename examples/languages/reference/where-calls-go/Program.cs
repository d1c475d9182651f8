using System.Collections.Generic;
using System.Linq;
using Pulumi;
using LivekitSip = Pulumi.LivekitSip;

return await Deployment.RunAsync(() => 
{
    var support = new LivekitSip.SipTrunk("support", new()
    {
        Type = LivekitSip.SipTrunkType.Did,
        Numbers = new[]
        {
            "+12025550123",
        },
        Direction = LivekitSip.SipTrunkDirection.Inbound,
        Country = "US",
    });

    var supportRule = new LivekitSip.DispatchRule("support", new()
    {
        Trunks = new[]
        {
            support.Reference,
        },
        Rule = LivekitSip.DispatchRuleKind.Individual,
        RoomPrefix = "support-",
        Agents = new[]
        {
            new LivekitSip.Inputs.DispatchRuleAgentArgs
            {
                AgentName = "receptionist",
            },
        },
    });

});

