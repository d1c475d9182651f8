using System.Collections.Generic;
using System.Linq;
using Pulumi;
using LivekitSip = Pulumi.LivekitSip;

return await Deployment.RunAsync(() => 
{
    var config = new Config();
    var password = config.RequireSecret("password");
    var pendingPassword = config.RequireSecret("pendingPassword");
    var reception = new LivekitSip.SipTrunk("reception", new()
    {
        Type = LivekitSip.SipTrunkType.Extension,
        Extension = "1011",
        Address = "pbx.acme.com",
        Password = password,
        PendingPassword = pendingPassword,
        Country = "US",
    });

});

