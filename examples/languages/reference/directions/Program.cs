using System.Collections.Generic;
using System.Linq;
using Pulumi;
using LivekitSip = Pulumi.LivekitSip;

return await Deployment.RunAsync(() => 
{
    var config = new Config();
    var diallerPassword = config.RequireSecret("diallerPassword");
    var hotline = new LivekitSip.SipTrunk("hotline", new()
    {
        Type = LivekitSip.SipTrunkType.Did,
        Numbers = new[]
        {
            "+12025550123",
        },
        Direction = LivekitSip.SipTrunkDirection.Inbound,
        Country = "US",
    });

    var dialler = new LivekitSip.SipTrunk("dialler", new()
    {
        Type = LivekitSip.SipTrunkType.Did,
        Numbers = new[]
        {
            "+12025550123",
        },
        Direction = LivekitSip.SipTrunkDirection.Outbound,
        Address = "sip.provider.example",
        Username = "acme",
        Password = diallerPassword,
        Country = "US",
    });

});

