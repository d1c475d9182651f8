using System.Collections.Generic;
using System.Linq;
using Pulumi;
using LivekitSip = Pulumi.LivekitSip;

return await Deployment.RunAsync(() => 
{
    var config = new Config();
    var address = config.Require("address");
    var password = config.RequireSecret("password");
    var reception = new LivekitSip.SipTrunk("reception", new()
    {
        Type = LivekitSip.SipTrunkType.Extension,
        Extension = "1011",
        Address = address,
        Password = password,
        Country = "US",
    });

    var receptionAuth = new LivekitSip.InboundAuth("reception", new()
    {
        Trunk = reception.Reference,
        Method = LivekitSip.InboundAuthMethod.Credentials,
    });

    var receptionRule = new LivekitSip.DispatchRule("reception", new()
    {
        Trunks = new[]
        {
            reception.Reference,
        },
        Rule = LivekitSip.DispatchRuleKind.Individual,
        Agents = new[]
        {
            new LivekitSip.Inputs.DispatchRuleAgentArgs
            {
                AgentName = "receptionist",
            },
        },
    });

    return new Dictionary<string, object?>
    {
        ["outboundTrunkId"] = reception.OutboundTrunkId,
    };
});
