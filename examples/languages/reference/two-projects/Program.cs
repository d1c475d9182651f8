using System.Collections.Generic;
using System.Linq;
using Pulumi;
using LivekitSip = Pulumi.LivekitSip;

return await Deployment.RunAsync(() => 
{
    var config = new Config();
    var stagingApiSecret = config.RequireSecret("stagingApiSecret");
    var staging = new LivekitSip.Provider("staging", new()
    {
        Url = "wss://staging.livekit.cloud",
        ApiKey = "APIstaging",
        ApiSecret = stagingApiSecret,
    });

    var hotline = new LivekitSip.SipTrunk("hotline", new()
    {
        Type = LivekitSip.SipTrunkType.Did,
        Numbers = new[]
        {
            "+12025550123",
        },
        Direction = LivekitSip.SipTrunkDirection.Inbound,
        Country = "US",
    }, new CustomResourceOptions
    {
        Provider = staging,
    });

});

