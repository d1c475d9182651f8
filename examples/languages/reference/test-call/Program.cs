using System.Collections.Generic;
using System.Linq;
using Pulumi;
using LivekitSip = Pulumi.LivekitSip;

return await Deployment.RunAsync(() => 
{
    var config = new Config();
    var receptionPassword = config.RequireSecret("receptionPassword");
    var reception = new LivekitSip.SipTrunk("reception", new()
    {
        Type = LivekitSip.SipTrunkType.Extension,
        Extension = "1011",
        Address = "pbx.acme.com",
        Password = receptionPassword,
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
    });

    var receptionOut = new LivekitSip.TestCall("reception-out", new()
    {
        Trunk = reception.Reference,
        Direction = LivekitSip.TestCallDirection.Outbound,
        To = "+12025550100",
    });

    var receptionIn = new LivekitSip.TestCall("reception-in", new()
    {
        Trunk = reception.Reference,
        Direction = LivekitSip.TestCallDirection.Inbound,
    }, new CustomResourceOptions
    {
        DependsOn =
        {
            receptionAuth,
            receptionRule,
        },
    });

});

