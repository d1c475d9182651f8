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

    var supportAuth = new LivekitSip.InboundAuth("support", new()
    {
        Trunk = support.Reference,
        Method = LivekitSip.InboundAuthMethod.Ip,
        AllowedAddresses = new[]
        {
            "203.0.113.7",
            "198.51.100.0/24",
        },
    });

});

