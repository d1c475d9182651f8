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

});

